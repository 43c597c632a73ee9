from django.db import models


class SavedView(models.Model):
    """A list as somebody likes to see it: filters, order and columns under a name; private, or shared with a desk."""

    owner = models.ForeignKey("crm.User", on_delete=models.CASCADE, related_name="saved_views")
    table = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True, help_text="Filters, search and order as a query string")
    columns = models.JSONField(default=list, blank=True)
    desk = models.ForeignKey("crm.Desk", on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "table", "name"], name="saved_view_name_is_unique_per_owner")
        ]
        indexes = [models.Index(fields=["table", "desk"], name="saved_views_by_desk")]

    def __str__(self) -> str:
        return self.name
