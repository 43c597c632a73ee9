"""The guard of every page in the client portal: a client's login, its one record, and nothing of anybody else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from clients.models import Client
from crm.accounts.guards import client_only
from crm.models import User

View = Callable[..., HttpResponse]


def client_required(view: View) -> View:
    """Guard `view(request, client, …)`: strangers sign in at their brand, staff and partners find nothing here.

    Every query of the view starts from this client; an id of somebody else's thing is 404.
    """

    @functools.wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        assert isinstance(request.user, User)
        client = Client.objects.select_related("brand", "owner").filter(user_id=request.user.pk).first()
        if client is None:
            raise Http404
        request.brand = client.brand  # type: ignore[attr-defined]
        return view(request, client, *args, **kwargs)

    return client_only(never_cache(entered))
