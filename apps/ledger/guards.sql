-- What the database itself sees to: entries balance, are complete when made, and never change. The functions stand
-- once, in public; each tenant's triggers call them.
--
-- They name tables by TG_TABLE_SCHEMA and fix their own search_path: a constraint trigger that resolved names by the
-- session's path would check another schema's entry when the path changed before COMMIT.

create or replace function public.ledger_stamp_entry() returns trigger language plpgsql set search_path = pg_catalog as $body$
begin
    new.created_xid := pg_current_xact_id();
    return new;
end
$body$;

create or replace function public.ledger_check_entry() returns trigger language plpgsql set search_path = pg_catalog as $body$
declare
    legs bigint;
    uneven text;
begin
    execute format('select count(*) from %I.ledger_posting where entry_id = $1', tg_table_schema)
       into legs using new.id;
    if legs < 2 then
        raise exception 'ledger entry % has % legs and needs two', new.id, legs
            using errcode = 'check_violation', constraint = 'ledger_entry_complete';
    end if;
    execute format('select string_agg(currency, '','') from (select currency from %I.ledger_posting
                     where entry_id = $1 group by currency having sum(amount_minor) <> 0) as sums', tg_table_schema)
       into uneven using new.id;
    if uneven is not null then
        raise exception 'ledger entry % does not balance in %', new.id, uneven
            using errcode = 'check_violation', constraint = 'ledger_entry_balanced';
    end if;
    if new.reverses_id is not null then
        execute format('select string_agg(account_id::text, '','') from (select account_id from %I.ledger_posting
                         where entry_id in ($1, $2) group by account_id having sum(amount_minor) <> 0) as sums',
                       tg_table_schema)
           into uneven using new.id, new.reverses_id;
        if uneven is not null then
            raise exception 'ledger entry % does not take back % on account %', new.id, new.reverses_id, uneven
                using errcode = 'check_violation', constraint = 'ledger_entry_reversal';
        end if;
    end if;
    return null;
end
$body$;

-- The entry's deferred check can be made to run early (SET CONSTRAINTS … IMMEDIATE). So that nothing unbalances the
-- entry afterwards, the legs that one statement adds must balance among themselves.
create or replace function public.ledger_guard_postings() returns trigger language plpgsql set search_path = pg_catalog as $body$
declare
    refused text;
begin
    execute format('select string_agg(distinct added.entry_id::text, '','')
                      from added join %I.ledger_entry e on e.id = added.entry_id
                     where e.created_xid <> pg_current_xact_id()', tg_table_schema) into refused;
    if refused is not null then
        raise exception 'ledger entry % is closed', refused
            using errcode = 'check_violation', constraint = 'ledger_posting_in_time';
    end if;
    select string_agg(sums.entry_id::text, ',') into refused
      from (select entry_id from added group by entry_id, currency having sum(amount_minor) <> 0) as sums;
    if refused is not null then
        raise exception 'the legs added to ledger entry % do not balance', refused
            using errcode = 'check_violation', constraint = 'ledger_posting_balanced';
    end if;
    return null;
end
$body$;

create or replace function public.ledger_refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $body$
begin
    raise exception '% on % is refused: entries are taken back by a reversal', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$body$;
