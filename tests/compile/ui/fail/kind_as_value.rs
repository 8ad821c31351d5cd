use scheduler_core::prelude::*;

#[scheduled_job("interval", minutes = 5)]
async fn every_five_minutes() {}

#[scheduled_job("cron", hour = 6, minute = 30, day_of_week = "mon-fri")]
async fn on_weekdays() {}

#[scheduled_job("date", run_date = "2026-12-31 23:59")]
async fn once() {}

fn main() {}
