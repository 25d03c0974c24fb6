"""Who waits for news hears of what comes after it began to wait, and only then."""

import asyncio

from consumers.news import News


async def test_everybody_who_waits_hears_of_it() -> None:
    news = News()
    waiting = [news.next(), news.next()]
    assert not any(one.done() for one in waiting)
    news.come()
    assert all(one.done() for one in waiting)


async def test_what_came_before_is_no_news() -> None:
    news = News()
    news.come()
    heard = news.next()
    assert not heard.done()
    news.come()
    news.come()
    assert heard.done()
    assert not news.next().done()


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    news = News()
    other = news.next()
    await asyncio.wait([news.next()], timeout=0)
    assert not other.done()
    news.come()
    assert other.done()


async def test_what_somebody_cancelled_stops_no_news() -> None:
    news = News()
    news.next().cancel()
    news.come()
    heard = news.next()
    news.come()
    assert heard.done()
