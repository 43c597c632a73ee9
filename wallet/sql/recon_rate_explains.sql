-- Guards matches between two currencies: whether the PSP's rate (units of `got` for one unit of `paid`) gives the one
-- amount from the other: to the unit, and to half of the rate's last digit.
CREATE OR REPLACE FUNCTION recon_rate_explains(got bigint, got_currency text, paid bigint, paid_currency text, rate numeric)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(got_currency <> paid_currency AND abs(got - u.unit * rate)
    <= 1 + abs(u.unit) * 0.5 / 10 ^ greatest(scale(trim_scale(rate)), 6), false)
  FROM (SELECT paid * 10::numeric ^ (recon_exponent(got_currency) - recon_exponent(paid_currency)) AS unit) u
$$;
