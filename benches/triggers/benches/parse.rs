//! Reading twelve typical expressions, beside three crates.

use std::hint::black_box;

use bench_triggers::{EXPRESSIONS, with_seconds};
use criterion::{Criterion, criterion_group, criterion_main};
use scheduler_triggers::Trigger;

fn parse(criterion: &mut Criterion) {
    for (name, expr) in EXPRESSIONS {
        let long = with_seconds(expr);
        let mut bench = |crate_name: &str, parse: &dyn Fn()| {
            criterion.bench_function(&format!("parse/{name}/{crate_name}"), |bencher| {
                bencher.iter(parse);
            });
        };
        bench("ours", &|| {
            black_box(Trigger::cron(black_box(expr)).is_ok());
        });
        bench("cron", &|| {
            black_box(black_box(&long).parse::<cron::Schedule>().is_ok());
        });
        bench("croner", &|| {
            black_box(black_box(expr).parse::<croner::Cron>().is_ok());
        });
        bench("saffron", &|| {
            black_box(black_box(expr).parse::<saffron::Cron>().is_ok());
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(150))
        .measurement_time(std::time::Duration::from_millis(400))
        .sample_size(20);
    targets = parse
}
criterion_main!(benches);
