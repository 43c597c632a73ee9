"""Thin Celery entry points of commissions, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from crm.models import Brand
from crm.queue.for_each import for_each_isolated
from ib import engine, settlement
from ib.abuse import reviews
from ib.agreements import ranks
from ib.calculation import monthly, sales
from ib.manager_pages import kept, revenue
from ib.news import monthly_figures, notices
from ib.replay import replays
from ib.screening import partner_names
from ib.settlements import automatic_payouts
from ib.tracking import sending, source_days


@shared_task
def run_commissions() -> None:
    """Recompute every brand's last days and months: what came late, and what was corrected."""
    for_each_isolated(lambda brand: engine.run_nightly(brand=brand), Brand.objects.order_by("pk"))
    for_each_isolated(lambda brand: monthly.review_months(brand=brand), Brand.objects.order_by("pk"))
    for_each_isolated(lambda brand: sales.review_sales(brand=brand), Brand.objects.order_by("pk"))
    for_each_isolated(revenue.keep_days, Brand.objects.order_by("pk"))
    for_each_isolated(source_days.keep_days, Brand.objects.order_by("pk"))


@shared_task
def review_ranks() -> None:
    """Decide partners' ranks once a month has begun."""
    for_each_isolated(lambda brand: ranks.review_ranks(brand=brand), Brand.objects.order_by("pk"))


@shared_task
def settle_due_periods() -> int:
    """Settle the periods whose end and grace have passed, and the partners whose own cycle has ended; then pay who is due."""
    closed = settlement.settle_due()
    for_each_isolated(automatic_payouts.pay_due, Brand.objects.order_by("pk"))
    return closed


@shared_task
def resume_replays() -> int:
    """Go on with replays whose worker died."""
    return replays.resume_stalled()


@shared_task
def screen_partners() -> int:
    """Screen the partners without a client record against everything in force."""
    return partner_names.screen_partners()


@shared_task
def send_postbacks() -> int:
    """Send the postbacks that are due."""
    return sending.send_due()


@shared_task
def review_referrals() -> None:
    """Judge each brand's partners by what their referrals show."""
    for_each_isolated(reviews.review_referrals, Brand.objects.order_by("pk"))


@shared_task
def send_monthly_figures() -> None:
    """Send partners the figures of the month that is over, once."""
    for_each_isolated(monthly_figures.send_due, Brand.objects.order_by("pk"))


@shared_task
def notify_of_news() -> int:
    """Notify partners of the news whose first day has begun."""
    return notices.notify_due()


@shared_task
def renew_kept(name: str, *arguments: int | str) -> None:
    """Ask again what a page showed from memory (`ib.manager_pages.kept`)."""
    kept.renew(name, *arguments)


SCHEDULE = {
    "notify-of-news": {"task": "ib.tasks.notify_of_news", "schedule": crontab(minute="*/10")},
    "send-monthly-figures": {"task": "ib.tasks.send_monthly_figures", "schedule": crontab(hour="6", minute="40")},
    "review-referrals": {"task": "ib.tasks.review_referrals", "schedule": crontab(hour="3", minute="10")},
    "send-postbacks": {"task": "ib.tasks.send_postbacks", "schedule": 30.0, "options": {"expires": 30}},
    "screen-partners": {"task": "ib.tasks.screen_partners", "schedule": crontab(hour="1", minute="50")},
    "resume-replays": {"task": "ib.tasks.resume_replays", "schedule": crontab(minute="*/5")},
    "review-ranks": {"task": "ib.tasks.review_ranks", "schedule": crontab(minute="5")},
    "run-commissions": {"task": "ib.tasks.run_commissions", "schedule": crontab(hour="2", minute="20")},
    "settle-commissions": {"task": "ib.tasks.settle_due_periods", "schedule": crontab(minute="*/10")},
}
