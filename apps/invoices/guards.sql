-- What the database refuses of a tenant's invoices, whoever asks. The functions stand once, in public; each tenant's
-- triggers call them, and the bodies find the tables by the path of whoever writes, which is his tenant's schema.
-- Tenants of the release before run them as soon as they are installed: they must suit its tables, too.

-- The columns of an issued invoice that may still change; whatever is added later is immutable until listed here.
CREATE OR REPLACE FUNCTION public.invoices_guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  living constant text[] := array[
    'status', 'version', 'paid_minor', 'written_off_minor', 'sent_at', 'viewed_at', 'paid_at', 'voided_at',
    'uncollectible_at', 'overdue_at', 'updated_at'
  ];
BEGIN
  IF OLD.status = 'DRAFT' THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'invoice % is issued and cannot be deleted', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status = 'DRAFT' OR (OLD.status = 'VOID' AND NEW.status <> 'VOID') THEN
    RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.number, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF to_jsonb(NEW) - living IS DISTINCT FROM to_jsonb(OLD) - living THEN
    RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.invoices_guard_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  owner uuid;
BEGIN
  FOREACH owner IN ARRAY CASE TG_OP
    WHEN 'INSERT' THEN array[NEW.invoice_id]
    WHEN 'DELETE' THEN array[OLD.invoice_id]
    ELSE array[OLD.invoice_id, NEW.invoice_id]
  END LOOP
    -- An unknown invoice is refused, too: then the path is not that of the table's own schema.
    IF NOT EXISTS (SELECT FROM invoices_invoice WHERE id = owner AND status = 'DRAFT') THEN
      RAISE EXCEPTION 'invoice % is issued; its % cannot change', owner, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
    END IF;
  END LOOP;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION public.invoices_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION public.invoices_guard_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.last_seq < OLD.first_seq THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'DELETE' OR NEW.name <> OLD.name OR NEW.year <> OLD.year OR NEW.first_seq <> OLD.first_seq
    OR NEW.last_seq NOT IN (OLD.last_seq, OLD.last_seq + 1) THEN
    RAISE EXCEPTION 'series % of % has begun and only moves on', OLD.name, OLD.year
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
