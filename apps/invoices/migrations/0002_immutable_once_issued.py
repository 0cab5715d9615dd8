"""What an issued invoice says can no longer change: the database refuses it, whoever asks."""

from django.db import migrations

# The columns of an issued invoice that may still change; whatever is added later is immutable until listed here.
FORWARD = """
CREATE FUNCTION invoices_guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  living constant text[] := array[
    'status', 'version', 'paid_minor', 'written_off_minor', 'sent_at', 'viewed_at', 'paid_at', 'voided_at',
    'uncollectible_at', 'updated_at'
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

CREATE FUNCTION invoices_guard_part() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION invoices_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER invoice_immutable BEFORE UPDATE OR DELETE ON invoices_invoice
  FOR EACH ROW EXECUTE FUNCTION invoices_guard_invoice();
CREATE TRIGGER line_immutable BEFORE INSERT OR UPDATE OR DELETE ON invoices_line
  FOR EACH ROW EXECUTE FUNCTION invoices_guard_part();
CREATE TRIGGER tax_total_immutable BEFORE INSERT OR UPDATE OR DELETE ON invoices_tax_total
  FOR EACH ROW EXECUTE FUNCTION invoices_guard_part();
CREATE TRIGGER settlement_append_only BEFORE UPDATE OR DELETE ON invoices_settlement
  FOR EACH ROW EXECUTE FUNCTION invoices_refuse_change();
CREATE TRIGGER invoice_no_truncate BEFORE TRUNCATE ON invoices_invoice
  FOR EACH STATEMENT EXECUTE FUNCTION invoices_refuse_change();
CREATE TRIGGER line_no_truncate BEFORE TRUNCATE ON invoices_line
  FOR EACH STATEMENT EXECUTE FUNCTION invoices_refuse_change();
CREATE TRIGGER tax_total_no_truncate BEFORE TRUNCATE ON invoices_tax_total
  FOR EACH STATEMENT EXECUTE FUNCTION invoices_refuse_change();
CREATE TRIGGER settlement_no_truncate BEFORE TRUNCATE ON invoices_settlement
  FOR EACH STATEMENT EXECUTE FUNCTION invoices_refuse_change();
"""
BACKWARD = """
DROP TRIGGER settlement_no_truncate ON invoices_settlement;
DROP TRIGGER tax_total_no_truncate ON invoices_tax_total;
DROP TRIGGER line_no_truncate ON invoices_line;
DROP TRIGGER invoice_no_truncate ON invoices_invoice;
DROP TRIGGER settlement_append_only ON invoices_settlement;
DROP TRIGGER tax_total_immutable ON invoices_tax_total;
DROP TRIGGER line_immutable ON invoices_line;
DROP TRIGGER invoice_immutable ON invoices_invoice;
DROP FUNCTION invoices_refuse_change();
DROP FUNCTION invoices_guard_part();
DROP FUNCTION invoices_guard_invoice();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
