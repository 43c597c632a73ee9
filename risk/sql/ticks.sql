-- Guards ticks kept for judging deals: a partition per month, and one row per moment of a symbol on its server.
CREATE TABLE risk_tick (
  server_id bigint NOT NULL REFERENCES trading_tradingserver (id),
  symbol varchar(32) NOT NULL,
  at_ms bigint NOT NULL,
  at timestamptz NOT NULL,
  bid double precision NOT NULL CONSTRAINT tick_bid_is_positive CHECK (bid > 0),
  ask double precision NOT NULL CONSTRAINT tick_ask_is_not_below_bid CHECK (ask >= bid),
  PRIMARY KEY (server_id, symbol, at_ms, at)
) PARTITION BY RANGE (at);
CREATE TABLE risk_tick_default PARTITION OF risk_tick DEFAULT;
