"""The dialog that forwards an e-mail of a thread."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from clients.forms import colleagues
from clients.messages import policies
from clients.messages.forms import ForwardForm
from clients.messages.forwarded import files_of
from clients.messages.forwarding import Recipient, forward_mail
from clients.messages.queries import mail_visible_to
from clients.models import IncomingMail, Message
from clients.queries import clients_visible_to
from clients.views import dialogs
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


@staff_page(policies.WRITES)
def forward_incoming(request: UserRequest, mail_id: int) -> HttpResponseBase:
    """Forward an e-mail that came in."""
    rows = mail_visible_to(request.user).filter(thread__isnull=False)
    return _forward(request, get_object_or_404(rows.select_related("client__brand", "client__book"), pk=mail_id))


@staff_page(policies.WRITES)
def forward_sent(request: UserRequest, message_id: int) -> HttpResponseBase:
    """Forward an e-mail of ours."""
    rows = Message.objects.filter(client__in=clients_visible_to(request.user), thread__isnull=False).defer("secret")
    return _forward(request, get_object_or_404(rows.select_related("client__brand", "client__book"), pk=message_id))


def _forward(request: UserRequest, original: IncomingMail | Message) -> HttpResponseBase:
    client, thread = original.client, original.thread
    assert client is not None and thread is not None
    form = ForwardForm(
        request.POST or None,
        people=colleagues(client, request.user),
        addresses=policies.FORWARD_ADDRESSES.of(client.brand),
        has_files=bool(files_of(original)),
    )

    def forward() -> None:
        entered = form.cleaned_data
        forward_mail(
            original=original,
            actor=request.user,
            recipient=Recipient(
                entered["colleague"].pk if entered["colleague"] else None,
                entered.get("address", ""),
                entered.get("is_confirmed", False),
            ),
            note=entered["note"],
            with_files=entered.get("with_files", False),
        )

    return dialogs.run(
        request,
        form,
        forward,
        url=thread.get_absolute_url(),
        success_message=_("E-mail is forwarded in ten seconds. Until then you can undo it."),
        title=_("Forward: %(subject)s") % {"subject": original.subject},
        submit=_("Forward e-mail"),
    )
