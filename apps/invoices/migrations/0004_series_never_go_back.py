"""A series that has begun moves one number at a time and never starts again: the database refuses anything else."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION invoices_guard_series() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER series_moves_on BEFORE UPDATE OR DELETE ON invoices_number_series
  FOR EACH ROW EXECUTE FUNCTION invoices_guard_series();
"""
BACKWARD = """
DROP TRIGGER series_moves_on ON invoices_number_series;
DROP FUNCTION invoices_guard_series();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0003_brands_and_series")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
