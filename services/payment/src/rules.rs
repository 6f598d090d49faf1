//! What things cost: pure decisions.

use ieum_contracts::payment::BeginCharge;
use ieum_core::Fault;

/// Items by how they begin, and their price, won a month.
const PRICES: [(&str, u64); 2] = [("device.display", 4_900), ("device.", 2_900)];

/// Returns an item's price, won a month. Fails with `payment.refused`.
pub fn price(item: &str) -> Result<u64, Fault> {
    let found = PRICES.iter().find(|(begin, _)| item.starts_with(begin));
    found.map(|(_, price)| *price).ok_or_else(|| {
        let known = PRICES.map(|(begin, _)| format!("{begin}…")).join(", ");
        Fault::failed_precondition(
            "payment.refused",
            format!("charging for {item:?}: only {known} has a price"),
        )
    })
}

/// Fails where a charge cannot be kept so.
pub fn check(wish: &BeginCharge) -> Result<(), Fault> {
    for (field, text) in [("chargeId", &wish.charge_id), ("userId", &wish.user_id), ("item", &wish.item)] {
        if text.is_empty() || text.chars().count() > 120 || text.chars().any(char::is_control) {
            let message = format!("{field}: expected 1 to 120 characters on one line");
            return Err(Fault::invalid_argument("payment.invalid", message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_beginning_that_fits_has_the_price() {
        assert_eq!(price("device.display.large"), Ok(4_900));
        assert_eq!(price("device.speaker"), Ok(2_900));
        assert_eq!(&*price("yacht").expect_err("has no price").reason, "payment.refused");
    }
}
