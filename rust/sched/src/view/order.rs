//! The order in which sums of rows are kept: rows that are alike stand together.
//!
//! A template mostly takes or leaves all nodes of a pool, and scores a zone as a whole. In node order pools and zones mix, so that
//! what is known of a block of rows says little. Here a block holds nodes with the same taints and labels, as far as there are
//! not too many kinds of them.

use super::BLOCK;
use crate::cluster::Cluster;
use crate::index_vec::{Idx, IndexVec, NodeIdx};

/// A place for each row, in blocks of places; some have no row.
#[derive(Debug)]
pub(crate) struct Order {
    /// The row of each place; [`EMPTY`] if there is none.
    rows: Vec<u32>,
    places: IndexVec<NodeIdx, u32>,
    epoch: u64,
}

/// No row.
const EMPTY: u32 = u32::MAX;
/// How many pairs of a kind and a value are looked at for each kind that there may be.
const MOST_PAIRS: usize = 64;

impl Order {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let nodes = cluster.nodes();
        let count = nodes.row_count();
        // So many that at most about half as many places again are empty.
        let limit = (count / BLOCK).max(1);
        let mut kind_of: IndexVec<NodeIdx, u32> = IndexVec::filled(0, count);
        let mut kinds = 1;
        // The number of each pair of a kind and a part, as pairs are met.
        let mut met: Vec<u32> = Vec::new();
        let mut divide = |parts: usize, part: &dyn Fn(NodeIdx) -> usize| {
            // the last part is that of rows that have none
            let pairs = kinds * (parts + 1);
            if parts < 2 || pairs > MOST_PAIRS * limit {
                return;
            }
            met.clear();
            met.resize(pairs, EMPTY);
            let mut count = 0;
            let mut divided = Vec::with_capacity(kind_of.len());
            for (node, &kind) in kind_of.iter_enumerated() {
                let pair = kind as usize * (parts + 1) + part(node).min(parts);
                let Some(kind) = met.get_mut(pair) else { return };
                if *kind == EMPTY {
                    *kind = u32::try_from(count).unwrap_or(EMPTY);
                    count += 1;
                    if count > limit {
                        return;
                    }
                }
                divided.push(*kind);
            }
            kinds = count;
            kind_of = divided.into_iter().collect();
        };
        divide(2, &|node| usize::from(nodes.unschedulable.contains(node)));
        divide(nodes.taint_lists().len(), &|node| nodes.taint_list_of(node));
        let mut columns: Vec<_> = nodes.labels.columns().collect();
        columns.sort_by_key(|column| column.len());
        for column in columns {
            divide(column.len(), &|node| column.domain(node).index());
        }
        let mut of_kind: Vec<Vec<u32>> = vec![Vec::new(); kinds];
        for (node, &kind) in kind_of.iter_enumerated() {
            if let Some(rows) = of_kind.get_mut(kind as usize) {
                rows.push(u32::try_from(node.index()).unwrap_or(EMPTY));
            }
        }
        let mut rows = Vec::with_capacity(count + kinds * BLOCK);
        for kind in of_kind {
            rows.extend(kind);
            rows.resize(rows.len().next_multiple_of(BLOCK), EMPTY);
        }
        let mut places = IndexVec::filled(EMPTY, count);
        for (place, &row) in rows.iter().enumerate().filter(|(_, row)| **row != EMPTY) {
            places[NodeIdx::from_index(row as usize)] = u32::try_from(place).unwrap_or(EMPTY);
        }
        Self { rows, places, epoch: cluster.epoch() }
    }

    /// Of which nodes this is the order.
    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many places there are: whole blocks.
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Where the row stands.
    pub(super) fn place(&self, node: NodeIdx) -> usize {
        self.places.get(node).map_or(usize::MAX, |&place| place as usize)
    }

    /// The row of a place.
    pub(super) fn row(&self, place: usize) -> Option<NodeIdx> {
        let row = *self.rows.get(place)?;
        (row != EMPTY).then(|| NodeIdx::from_index(row as usize))
    }
}

#[cfg(test)]
mod tests {
    use bayplan_testkit::builders::node;

    use super::*;

    #[test]
    fn a_block_holds_nodes_of_one_kind() {
        let nodes = (0..1000).map(|number| {
            node(&format!("node-{number:03}"))
                .label("pool", &format!("pool-{}", number % 3))
                .label("kubernetes.io/hostname", &format!("node-{number:03}"))
                .label("zone", &format!("zone-{}", number % 4))
                .build()
        });
        let objects = bayplan_api::Objects { nodes: nodes.collect(), ..Default::default() };
        let cluster = Cluster::from_objects(objects).unwrap();
        let order = Order::new(&cluster);
        let mut rows: Vec<usize> = Vec::new();
        for block in (0..order.len()).step_by(BLOCK) {
            let met: Vec<NodeIdx> = (block..block + BLOCK).filter_map(|at| order.row(at)).collect();
            let kind = |node: NodeIdx| (node.index() % 3, node.index() % 4);
            assert!(met.is_sorted(), "{met:?}");
            assert!(met.iter().all(|&node| kind(node) == kind(met[0])), "{met:?}");
            rows.extend(met.iter().map(|node| node.index()));
        }
        rows.sort_unstable();
        assert_eq!(rows, (0..1000).collect::<Vec<_>>());
        assert!(rows.iter().all(|&row| {
            let node = NodeIdx::from_index(row);
            order.row(order.place(node)) == Some(node)
        }));
    }
}
