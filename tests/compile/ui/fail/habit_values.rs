use scheduler_core::prelude::*;

#[scheduled_job(seconds = 10)]
async fn seconds() {}

#[scheduled_job(hours = 1, minutes = 30, tz = "Asia/Tokyo")]
async fn hours_and_minutes() {}

#[scheduled_job(interval(hours = 1, minutes = 30))]
async fn inside() {}

#[scheduled_job(fixedRate = 5000, initialDelay = 1000)]
async fn of_spring() {}

#[scheduled_job(schedule = "*/5 * * * *", concurrencyPolicy = "Forbid", startingDeadlineSeconds = 200, suspend = true)]
async fn of_kubernetes() {}

#[scheduled_job(run_every = crontab(hour = 7, minute = 30), expires = 60)]
async fn of_celery() {}

#[scheduled_job(cronExpression = "0 0 12 * * ?", withMisfireHandlingInstructionFireAndProceed)]
async fn of_quartz() {}

#[scheduled_job(interval = "5m", max_attempts = 5, queue = "mail", unique = true)]
async fn of_river() {}

fn main() {}
