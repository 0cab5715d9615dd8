"""The triggers call the functions of guards.sql in public; the schema's own go."""

from django.db import migrations

FORWARD = """
DROP TRIGGER invoice_immutable ON invoices_invoice;
CREATE TRIGGER invoice_immutable BEFORE UPDATE OR DELETE ON invoices_invoice
  FOR EACH ROW EXECUTE FUNCTION public.invoices_guard_invoice();
DROP TRIGGER line_immutable ON invoices_line;
CREATE TRIGGER line_immutable BEFORE INSERT OR UPDATE OR DELETE ON invoices_line
  FOR EACH ROW EXECUTE FUNCTION public.invoices_guard_part();
DROP TRIGGER tax_total_immutable ON invoices_tax_total;
CREATE TRIGGER tax_total_immutable BEFORE INSERT OR UPDATE OR DELETE ON invoices_tax_total
  FOR EACH ROW EXECUTE FUNCTION public.invoices_guard_part();
DROP TRIGGER settlement_append_only ON invoices_settlement;
CREATE TRIGGER settlement_append_only BEFORE UPDATE OR DELETE ON invoices_settlement
  FOR EACH ROW EXECUTE FUNCTION public.invoices_refuse_change();
DROP TRIGGER invoice_no_truncate ON invoices_invoice;
CREATE TRIGGER invoice_no_truncate BEFORE TRUNCATE ON invoices_invoice
  FOR EACH STATEMENT EXECUTE FUNCTION public.invoices_refuse_change();
DROP TRIGGER line_no_truncate ON invoices_line;
CREATE TRIGGER line_no_truncate BEFORE TRUNCATE ON invoices_line
  FOR EACH STATEMENT EXECUTE FUNCTION public.invoices_refuse_change();
DROP TRIGGER tax_total_no_truncate ON invoices_tax_total;
CREATE TRIGGER tax_total_no_truncate BEFORE TRUNCATE ON invoices_tax_total
  FOR EACH STATEMENT EXECUTE FUNCTION public.invoices_refuse_change();
DROP TRIGGER settlement_no_truncate ON invoices_settlement;
CREATE TRIGGER settlement_no_truncate BEFORE TRUNCATE ON invoices_settlement
  FOR EACH STATEMENT EXECUTE FUNCTION public.invoices_refuse_change();
DROP TRIGGER series_moves_on ON invoices_number_series;
CREATE TRIGGER series_moves_on BEFORE UPDATE OR DELETE ON invoices_number_series
  FOR EACH ROW EXECUTE FUNCTION public.invoices_guard_series();
DROP FUNCTION invoices_guard_invoice();
DROP FUNCTION invoices_guard_part();
DROP FUNCTION invoices_refuse_change();
DROP FUNCTION invoices_guard_series();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0005_list_orders")]
    operations = [migrations.RunSQL(FORWARD)]
