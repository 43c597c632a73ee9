from django.db import models


class SubjectKey(models.Model):
    """A client's own data key, wrapped by the instance's field key. Erasing the client destroys it."""

    client_id = models.BigIntegerField(primary_key=True)
    wrapped = models.BinaryField(null=True, help_text="Empty once destroyed")
    created_at = models.DateTimeField(auto_now_add=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(wrapped__isnull=False, destroyed_at__isnull=True)
                | models.Q(wrapped__isnull=True, destroyed_at__isnull=False),
                name="subject_key_is_there_or_destroyed",
            )
        ]

    def __str__(self) -> str:
        return f"Key of client {self.client_id}"


class LastingKey(models.Model):
    """A key that outlives the field key it was derived from: keyed hashes in the database are compared under it."""

    purpose = models.CharField(max_length=40, primary_key=True)
    wrapped = models.BinaryField()

    def __str__(self) -> str:
        return self.purpose
