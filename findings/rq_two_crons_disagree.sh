#!/bin/sh
# RQ 3.0 has a CronScheduler of its own, beside rq-scheduler 0.14 whose cron strings look the same. Where both the day of
# the month and the day of the week are given, they mean different days. rq-scheduler asks the package crontab, which wants
# both to hold; RQ asks croniter, which takes either, as cron itself does. `0 0 13 * 5` is a Friday the 13th to the one,
# and every Friday and every 13th to the other. So moving a schedule from one to the other is no change of a class alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet rq==3.0.0 rq-scheduler==0.14.0 crontab==1.0.5 croniter==7.0.0 freezegun==1.5.5

cat >next.py <<'CODE'
from freezegun import freeze_time
from rq.cron import CronJob
from rq_scheduler.utils import get_next_scheduled_time

TEXT = "0 0 13 * 5"
with freeze_time("2026-11-28 12:00:00"):
    print("rq-scheduler:", get_next_scheduled_time(TEXT).strftime("%a %Y-%m-%d"))
    print("RQ's own:    ", CronJob(queue_name="any", func=print, cron=TEXT).next_enqueue_time.strftime("%a %Y-%m-%d"))
CODE
cat >expected <<'TEXT'
rq-scheduler: Fri 2027-08-13
RQ's own:     Fri 2026-12-04
TEXT
TZ=UTC venv/bin/python -W ignore next.py | tee seen
diff expected seen
