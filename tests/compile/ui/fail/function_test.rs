use scheduler_core::prelude::*;

#[tokio::test]
#[task]
async fn job() {}

fn main() {}
