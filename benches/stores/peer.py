"""So many jobs due each second in APScheduler with its SQLAlchemy store: does it keep up?

    python peer.py URL JOBS SECONDS [wal]

Needs: pip install APScheduler==3.11.2 SQLAlchemy psycopg2-binary. Its store keeps no history. The jobs do
nothing; `coalesce` and `misfire_grace_time` are as they come, except that no fire time counts as missed.
"""

import os
import resource
import sys
import time
from datetime import datetime, timedelta, timezone

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import create_engine, event

FIRED = 0


def nothing():
    global FIRED
    FIRED += 1


def main():
    url, count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    wal = "wal" in sys.argv[4:]
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        for suffix in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
    engine = create_engine(url)
    if wal:

        @event.listens_for(engine, "connect")
        def set_wal(connection, _):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

    table = f"apscheduler_jobs_{os.getpid()}"
    store = SQLAlchemyJobStore(engine=engine, tablename=table)
    scheduler = BackgroundScheduler(
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(2)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1_000},
        timezone=timezone.utc,
    )
    scheduler.start(paused=True)
    start = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=3 + count // 500)
    for number in range(count):
        scheduler.add_job(
            nothing, "interval", seconds=1, start_date=start, id=f"job-{number}", misfire_grace_time=None
        )
    if datetime.now(timezone.utc) > start:
        print("warning: adding took longer than the lead", flush=True)
    scheduler.resume()
    wait = (start - datetime.now(timezone.utc)).total_seconds()
    time.sleep(max(wait, 0))
    before, begun = FIRED, time.monotonic()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    time.sleep(seconds)
    done, took = FIRED - before, time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    used = used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime
    held = "HELD" if done > 0.97 * count * seconds else "not held"
    print(
        f"apscheduler {url}{' WAL' if wal else ''}: {count} jobs a second {held}: {done / took:.0f} fires/s,"
        f" CPU {used / max(done, 1) * 1e6:.0f} us per fire",
        flush=True,
    )
    os._exit(0)


main()
