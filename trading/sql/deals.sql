-- Guards deals: a partition per month of execution (UTC), a default one so that no deal is ever refused, and a ticket
-- once per server and instant.
CREATE SEQUENCE trading_deal_id_seq AS bigint;
CREATE TABLE trading_deal (
  id bigint NOT NULL DEFAULT nextval('trading_deal_id_seq'),
  executed_at timestamptz NOT NULL,
  server_id bigint NOT NULL REFERENCES trading_tradingserver (id),
  ticket bigint NOT NULL,
  account_id bigint REFERENCES trading_tradingaccount (id),
  login varchar(32) NOT NULL,
  server_msc bigint NOT NULL,
  action smallint NOT NULL,
  entry smallint NOT NULL,
  reason smallint NOT NULL DEFAULT 0,
  symbol varchar(32) NOT NULL DEFAULT '',
  lots numeric(18,8) NOT NULL CONSTRAINT deal_lots_are_not_negative CHECK (lots >= 0),
  closed_lots numeric(18,8) NOT NULL CONSTRAINT deal_closed_lots_are_not_negative CHECK (closed_lots >= 0),
  contract_size numeric(20,8) NOT NULL,
  price numeric(20,8) NOT NULL,
  price_position numeric(20,8) NOT NULL,
  profit numeric(20,8) NOT NULL,
  commission numeric(20,8) NOT NULL,
  swap numeric(20,8) NOT NULL,
  fee numeric(20,8) NOT NULL,
  position_id bigint NOT NULL,
  order_id bigint NOT NULL,
  comment varchar(64) NOT NULL DEFAULT '',
  raw jsonb NOT NULL,
  revision smallint NOT NULL DEFAULT 0,
  synced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at timestamptz,
  PRIMARY KEY (executed_at, id),
  CONSTRAINT deal_ticket_is_unique_on_its_server UNIQUE (server_id, ticket, executed_at)
) PARTITION BY RANGE (executed_at);
ALTER SEQUENCE trading_deal_id_seq OWNED BY trading_deal.id;
CREATE TABLE trading_deal_default PARTITION OF trading_deal DEFAULT;
CREATE INDEX deals_by_account ON trading_deal (account_id, executed_at DESC, id DESC);
CREATE INDEX deals_by_id ON trading_deal (id);
CREATE INDEX deals_of_a_position ON trading_deal (account_id, position_id) WHERE position_id <> 0;
CREATE INDEX deals_of_unknown_accounts ON trading_deal (server_id, login) WHERE account_id IS NULL;
CREATE INDEX deals_of_unknown_action ON trading_deal (executed_at DESC, id DESC) WHERE action < 0 OR action > 20;
