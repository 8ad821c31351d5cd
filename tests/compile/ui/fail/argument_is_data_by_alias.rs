use scheduler_core::prelude::*;

struct Pool;

type Db = Data<Pool>;

#[task]
async fn job(db: Db) {
    let _ = db;
}

fn main() {}
