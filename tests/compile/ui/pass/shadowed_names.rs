//! The output names everything by its full path.
#![allow(dead_code, non_camel_case_types)]

use scheduler_core::{Data, scheduled_job, task};

struct Result;
struct Option;
struct Box;
struct String;
struct Vec;
struct Some;
struct None;
struct Ok;
struct Err;
struct Job;
struct JobContext;
struct Duration;
trait Default {}
trait Send {}
trait From {}
trait Into {}
type i64 = ();
mod core {}
mod std {}
mod alloc {}
mod scheduler_core_ {}
macro_rules! line {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! file {
    () => {
        compile_error!("not this one")
    };
}

#[scheduled_job(interval = "5m", timeout = "1m", args(job = 42))]
async fn injects(
    data: Data<u8>,
    ctx: ::scheduler_core::JobContext,
    job: u64,
    #[arg(default = 4)] context: u8,
) {
    let _ = (data, ctx, job, context);
}

#[task]
fn task(value: u8, name: u16, arguments: u32, value_0: u8) -> u32 {
    u32::from(value) + u32::from(name) + arguments + u32::from(value_0)
}

fn main() {
    let _ = (injects::job(1, 2), task::job(1, 2, 3, 4));
}
