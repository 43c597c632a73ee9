-- Guards lists of changes: every version of a row carries the number of its transaction; see crm/sql/change_numbers.sql.
ALTER TABLE trading_tradingaccount ADD COLUMN changed_in bigint NOT NULL DEFAULT crm_change_number();
CREATE INDEX accounts_by_change ON trading_tradingaccount (changed_in, id);
CREATE TRIGGER change_is_numbered BEFORE UPDATE ON trading_tradingaccount FOR EACH ROW EXECUTE FUNCTION crm_number_change();
ALTER TABLE trading_deal ADD COLUMN changed_in bigint NOT NULL DEFAULT crm_change_number();
CREATE INDEX deals_by_change ON trading_deal (changed_in, id);
CREATE TRIGGER change_is_numbered BEFORE UPDATE ON trading_deal FOR EACH ROW EXECUTE FUNCTION crm_number_change();
