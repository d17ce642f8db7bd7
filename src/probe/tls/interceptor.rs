//! Names the product behind an interception, where its issuer gives it away.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::net::tls::Certificate;

#[derive(Deserialize)]
struct List {
    product: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    issuer: Vec<String>,
}

static LIST: LazyLock<Vec<Product>> = LazyLock::new(|| {
    let parsed = toml::from_str::<List>(include_str!("interceptors.toml"));
    let mut products = parsed.map(|list| list.product).unwrap_or_default(); // a test holds that it parses
    products.iter_mut().flat_map(|product| &mut product.issuer).for_each(|text| text.make_ascii_lowercase());
    products
});

/// The product that one of the chain's issuers is known for. A hint: anyone can call an
/// authority anything.
pub(super) fn product(chain: &[Certificate]) -> Option<&'static str> {
    let issuers: Vec<String> = chain.iter().map(|c| c.issuer.as_str().to_ascii_lowercase()).collect();
    let known = |product: &&Product| {
        product.issuer.iter().any(|text| issuers.iter().any(|issuer| issuer.contains(text.as_str())))
    };
    LIST.iter().find(known).map(|product| product.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_parses_and_says_where_it_is_from() {
        assert!(toml::from_str::<List>(include_str!("interceptors.toml")).unwrap().product.len() > 20);
        for product in LIST.iter() {
            assert!(!product.issuer.is_empty() && product.issuer.iter().all(|text| text.len() > 4));
        }
    }
}
