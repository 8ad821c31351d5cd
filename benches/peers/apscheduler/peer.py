"""APScheduler: adding jobs, firing them from memory and from a store, and its cron triggers.

    python peer.py SCENARIO COUNT SECONDS [URL]

Needs: pip install APScheduler==3.11.2 SQLAlchemy psycopg2-binary. All settings are as they come, except
where a scenario says so. Prints one line of JSON last.
"""

import json
import os
import resource
import sys
import time
from datetime import datetime, timedelta, timezone
from statistics import median
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

LATENESS = []
TURNS = []
START = END = float("inf")
FIRED = 0


def nothing():
    pass


def fire(number, apart):
    """Takes the n-th fire of a job in the window for that of the n-th second."""
    now = time.time()
    nominal = START + apart * number
    if now < nominal - 0.001:
        return
    nominal += TURNS[number]
    TURNS[number] += 1
    if nominal < END:
        LATENESS.append(now - nominal)


def count_fire():
    global FIRED
    FIRED += 1


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024


def sleep_until(instant):
    time.sleep(max(instant - time.time(), 0))


def jobs(count, seconds):
    """Adds jobs that are due in an hour, then rests."""
    scheduler = BackgroundScheduler(timezone=timezone.utc)
    scheduler.start()
    memory, begun = resident(), time.monotonic()
    for number in range(count):
        scheduler.add_job(nothing, "interval", hours=1, id=f"job-{number}")
    took = time.monotonic() - begun
    time.sleep(1)
    figures = {"adds_per_second": count / took, "bytes_per_job": (resident() - memory) / count}
    if seconds:
        time.sleep(1)
        before, begun = cpu(), time.monotonic()
        time.sleep(seconds)
        figures["idle_percent"] = (cpu() - before) / (time.monotonic() - begun) * 100
    return figures


def fires(count, seconds, apart):
    """Fires each of so many jobs each second."""
    global START, END
    scheduler = BackgroundScheduler(timezone=timezone.utc)
    scheduler.start(paused=True)
    first = int(time.time()) + 3 + count // 3_000
    for number in range(count):
        begin = datetime.fromtimestamp(first + apart * number, timezone.utc)
        scheduler.add_job(fire, "interval", seconds=1, start_date=begin, args=(number, apart), id=f"job-{number}")
    TURNS.extend([0] * count)
    START, END = first, first + seconds
    if time.time() > first:
        sys.exit("adding took longer than there was time")
    scheduler.resume()
    sleep_until(first + 0.7)
    before, fired = cpu(), len(LATENESS)
    sleep_until(END - 0.3)
    used, during = cpu() - before, len(LATENESS) - fired
    sleep_until(END + 1)
    late = sorted(LATENESS)
    figures = {"fires": len(late), "expected": count * seconds}
    if during:
        figures["cpu_us"] = used / during * 1e6
    if late:
        at = lambda part: late[int((len(late) - 1) * part)] * 1e3
        figures |= {"min_ms": at(0), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}
    return figures


def stored(count, url, start, every):
    """A scheduler, paused, with so many jobs in its store, due from `start` on.

    No fire time counts as missed, and two threads run the jobs: ten are slower, for a job that does nothing.
    """
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from sqlalchemy import create_engine, event

    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite://")
        for suffix in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        engine = create_engine(f"sqlite:///{path}")

        @event.listens_for(engine, "connect")
        def set_wal(connection, _):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

    else:
        engine = create_engine(url.replace("postgres://", "postgresql+psycopg2://", 1))
    store = SQLAlchemyJobStore(engine=engine, tablename=f"apscheduler_jobs_{os.getpid()}")
    scheduler = BackgroundScheduler(
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(2)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1_000},
        timezone=timezone.utc,
    )
    scheduler.start(paused=True)
    for number in range(count):
        scheduler.add_job(count_fire, "interval", seconds=every, start_date=start, id=f"job-{number}")
    if datetime.now(timezone.utc) > start:
        sys.exit("adding took longer than there was time")
    return scheduler


def lead(count):
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=3 + count // 250)


def sustained(count, seconds, url):
    """So many stored jobs due each second: how many fires there are."""
    start = lead(count)
    scheduler = stored(count, url, start, 1)
    scheduler.resume()
    sleep_until(start.timestamp())
    fired, begun, used = FIRED, time.monotonic(), cpu()
    time.sleep(seconds)
    done, took = FIRED - fired, time.monotonic() - begun
    figures = {"fires": done, "expected": count * seconds, "fires_per_second": done / took}
    if done:
        figures["cpu_us"] = (cpu() - used) / done * 1e6
    return figures


def pile(count, url):
    """So many stored jobs due at once: until all have run."""
    start = lead(count)
    scheduler = stored(count, url, start, 86_400)
    scheduler.resume()
    sleep_until(start.timestamp())
    begun = time.monotonic()
    while FIRED < count:
        if time.monotonic() - begun > 120:
            sys.exit(f"only {FIRED} of {count} had run after two minutes")
        time.sleep(0.005)
    return {"seconds": time.time() - start.timestamp()}


def timed(call, milliseconds):
    """Nanoseconds of one call: the median of a few batches that take at least so long each."""

    def batch(turns):
        begun = time.perf_counter_ns()
        for turn in range(turns):
            call(turn)
        return time.perf_counter_ns() - begun

    turns = 1
    while batch(turns) < milliseconds * 1e6:
        turns *= 2
    return median(batch(turns) for _ in range(11)) / turns


def triggers(scenario, milliseconds):
    """The next fire time, or reading the expression, for each of the expressions of the other crates."""
    zone = ZoneInfo("America/New_York") if scenario == "next-new-york" else timezone.utc
    first = datetime.fromtimestamp(1_767_225_600, timezone.utc).replace(microsecond=123_456)
    starts = [(first + timedelta(seconds=step * 487_651)).astimezone(zone) for step in range(64)]
    figures = {}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../triggers/expressions.txt")
    with open(path) as lines:
        expressions = dict(line.strip().split("=", 1) for line in lines)
    for name, expression in expressions.items():
        if scenario == "parse":
            call = lambda _: CronTrigger.from_crontab(expression, zone)
        else:
            trigger = CronTrigger.from_crontab(expression, zone)
            call = lambda turn: trigger.get_next_fire_time(None, starts[turn % 64])
        figures[name] = timed(call, milliseconds)
    return figures


def main():
    scenario, count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    url = sys.argv[4] if len(sys.argv) > 4 else ""
    if scenario == "jobs":
        figures = jobs(count, seconds)
    elif scenario in ("same", "spread"):
        figures = fires(count, seconds, 1 / count if scenario == "spread" else 0)
    elif scenario == "sustained":
        figures = sustained(count, seconds, url)
    elif scenario == "pile":
        figures = pile(count, url)
    else:
        figures = triggers(scenario, count)
    print(json.dumps(figures), flush=True)
    os._exit(0)


main()
