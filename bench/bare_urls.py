"""The project's addresses and one bare page: 50 plain rows through the same middleware, the yardstick of `bench web`."""

from django.http import HttpRequest, HttpResponse
from django.template import Context, engines
from django.urls import include, path

TEMPLATE = engines["django"].engine.from_string(  # type: ignore[attr-defined]
    "<table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>"
)
ROWS = [[f"cell {row}.{cell}" for cell in range(8)] for row in range(50)]


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(TEMPLATE.render(Context({"rows": ROWS, "user": request.user.pk})))


urlpatterns = [path("bare/", bare, name="bench_bare"), path("", include("crm.urls"))]
