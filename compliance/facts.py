from clients.facts import fact

fact(
    "risk_rating",
    owner="compliance",
    sql="SELECT client_id, rating FROM compliance_riskassessment WHERE is_current",
    default="'unrated'",
)
fact(
    "restrictions",
    owner="compliance",
    sql="SELECT client_id, array_agg(DISTINCT kind ORDER BY kind)::varchar(30)[] FROM compliance_restriction "
    "WHERE lifted_at IS NULL GROUP BY client_id",
    default="'{}'::varchar(30)[]",
)
