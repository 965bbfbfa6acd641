//! The delivery of notices, beside everything else; begun anew with each reload.

use std::sync::Arc;

use super::{attachment::attach_report, service::Service};
use crate::alert::{Delivery, DeliveryParts};

/// Delivers until the service is to stop.
pub(super) async fn deliver_all(service: Arc<Service>) {
    let mut plant = service.plant.subscribe();
    while !service.stop.is_cancelled() {
        plant.mark_unchanged();
        let delivery = Delivery::new(parts(&service));
        match delivery.prepare().await {
            Ok(0) => {}
            Ok(given_up) => tracing::warn!(given_up, "notices to channels that are in the configuration no more were given up"),
            Err(error) => tracing::error!(%error, "the outbox cannot be put in order"),
        }
        let stop = service.stop.child_token();
        let running = delivery.run(&stop);
        tokio::pin!(running);
        tokio::select! {
            () = &mut running => {}
            // a sender that has gone leaves the service to its end
            changed = plant.changed() => {
                stop.cancel();
                running.await;
                drop(changed);
            }
        }
        if !service.stop.is_cancelled() && plant.borrow().channels.is_empty() {
            tokio::select! {
                () = service.stop.cancelled() => {}
                changed = plant.changed() => drop(changed),
            }
        }
    }
}

fn parts(service: &Arc<Service>) -> DeliveryParts {
    let (plant, pulse) = (service.plant(), service.pulse.clone());
    let basis = &plant.basis;
    DeliveryParts {
        store: service.store.clone(),
        channels: plant.channels.clone(),
        destinations: plant.destinations.clone(),
        wording: plant.wording.clone(),
        policy: plant.alerting.policy,
        clock: service.clock.clone(),
        attach: Some(attach_report(service.store.reader().clone(), Arc::clone(&basis.remedies), service.clock.clone())),
        observe: Arc::new(move |channel, result| pulse.count_delivery(channel, result)),
        waker: service.waker.clone(),
    }
}
