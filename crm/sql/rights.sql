-- Guards every page: what a user may do and whom they reach, in one call whose plans a connection keeps.
-- Grants are held by users, or by groups, on brands, desks and books; one on a brand spreads to its desks' books, one on a
-- desk to its books. A limit "masked" (crm_stafflimit) takes the right to see contact details away while it is in force.
-- `books`: [id, desk, brand, by brand, by desk, by book, by owner] each.
CREATE OR REPLACE FUNCTION crm_rights(
  p_user bigint, p_is_team boolean, p_is_superuser boolean,
  OUT permissions text[], OUT whole_brands bigint[], OUT books jsonb
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_desks bigint[];
  v_books bigint[];
BEGIN
  IF NOT p_is_superuser THEN
    permissions := ARRAY(
      SELECT t.app_label || '.' || p.codename FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
      WHERE p.id IN (
        SELECT permission_id FROM crm_user_user_permissions WHERE user_id = p_user
        UNION ALL SELECT h.permission_id FROM auth_group_permissions h JOIN crm_user_groups m ON m.group_id = h.group_id
        WHERE m.user_id = p_user
      ) AND NOT (p.codename = 'see_unmasked_contacts' AND EXISTS (
        SELECT 1 FROM crm_stafflimit l WHERE l.user_id = p_user AND l.kind = 'masked' AND l.ended_at IS NULL
          AND l.from_at <= statement_timestamp() AND l.until_at > statement_timestamp())));
  END IF;
  IF NOT p_is_team THEN
    RETURN;
  END IF;
  WITH held AS (
    SELECT g.permission_id, g.content_type_id, g.object_pk FROM guardian_userobjectpermission g WHERE g.user_id = p_user
    UNION ALL SELECT g.permission_id, g.content_type_id, g.object_pk FROM guardian_groupobjectpermission g
    JOIN crm_user_groups m ON m.group_id = g.group_id WHERE m.user_id = p_user
  ), grants AS (
    SELECT DISTINCT t.model, h.object_pk::bigint AS pk FROM held h JOIN auth_permission p ON p.id = h.permission_id
    JOIN django_content_type t ON t.id = p.content_type_id AND t.id = h.content_type_id
    WHERE t.app_label = 'crm' AND p.codename = 'access_' || t.model
  ) SELECT coalesce(array_agg(pk) FILTER (WHERE model = 'brand'), '{}'), coalesce(array_agg(pk) FILTER (WHERE model = 'desk'), '{}'),
    coalesce(array_agg(pk) FILTER (WHERE model = 'book'), '{}') INTO whole_brands, v_desks, v_books FROM grants;
  books := (
    SELECT jsonb_agg(jsonb_build_array(b.id, b.desk_id, b.brand_id, b.brand_id = ANY (whole_brands),
      coalesce(b.desk_id = ANY (v_desks), false), b.id = ANY (v_books), coalesce(b.owner_id = p_user, false)))
    FROM crm_book b WHERE p_is_superuser OR b.owner_id = p_user OR b.id = ANY (v_books) OR b.desk_id = ANY (v_desks)
      OR b.brand_id = ANY (whole_brands));
  IF p_is_superuser THEN
    whole_brands := ARRAY(SELECT id FROM crm_brand);
  END IF;
END
$$;
