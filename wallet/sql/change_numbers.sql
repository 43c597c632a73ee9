-- Guards lists of changes: every version of a row carries the number of its transaction; see crm/sql/change_numbers.sql.
ALTER TABLE wallet_deposit ADD COLUMN changed_in bigint NOT NULL DEFAULT crm_change_number();
CREATE INDEX deposits_by_change ON wallet_deposit (changed_in, id);
CREATE TRIGGER change_is_numbered BEFORE UPDATE ON wallet_deposit FOR EACH ROW EXECUTE FUNCTION crm_number_change();
ALTER TABLE wallet_withdrawal ADD COLUMN changed_in bigint NOT NULL DEFAULT crm_change_number();
CREATE INDEX withdrawals_by_change ON wallet_withdrawal (changed_in, id);
CREATE TRIGGER change_is_numbered BEFORE UPDATE ON wallet_withdrawal FOR EACH ROW EXECUTE FUNCTION crm_number_change();
