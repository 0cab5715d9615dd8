"""The triggers call the functions of guards.sql in public; the schema's own go."""

from django.db import migrations

FORWARD = """
DROP TRIGGER ledger_entry_stamp ON ledger_entry;
create trigger ledger_entry_stamp before insert on ledger_entry
    for each row execute function public.ledger_stamp_entry();
DROP TRIGGER ledger_entry_check ON ledger_entry;
create constraint trigger ledger_entry_check after insert on ledger_entry
    deferrable initially deferred for each row execute function public.ledger_check_entry();
DROP TRIGGER ledger_posting_guard ON ledger_posting;
create trigger ledger_posting_guard after insert on ledger_posting
    referencing new table as added for each statement execute function public.ledger_guard_postings();
DROP TRIGGER ledger_entry_unchanged ON ledger_entry;
create trigger ledger_entry_unchanged before update or delete or truncate on ledger_entry
    for each statement execute function public.ledger_refuse_change();
DROP TRIGGER ledger_posting_unchanged ON ledger_posting;
create trigger ledger_posting_unchanged before update or delete or truncate on ledger_posting
    for each statement execute function public.ledger_refuse_change();
DROP FUNCTION ledger_stamp_entry();
DROP FUNCTION ledger_check_entry();
DROP FUNCTION ledger_guard_postings();
DROP FUNCTION ledger_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_entries_of_a_kind")]
    operations = [migrations.RunSQL(FORWARD)]
