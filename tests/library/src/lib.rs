//! A library crate with jobs, as in a workspace whose programs share it.

use scheduler_core::prelude::*;

#[scheduled_job(interval = "1h", id = "close_accounts")]
async fn close_accounts() {}

#[scheduled_job(cron = "0 6 * * *", id = "send_invoices")]
async fn send_invoices() {}
