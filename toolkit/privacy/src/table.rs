//! Tables of counts with their sums, from which small cells are taken so that nothing gives them back.

use crate::TableError;
use crate::flow::Grid;

/// The largest count of a whole table; costs of hiding are sums of counts.
const MOST: u64 = 1 << 40;

/// Counts of people by two attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    counts: Vec<Vec<u64>>,
}

/// One number of a protected table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// It may be told.
    Count(u64),
    /// It is not told; `null` in JSON.
    Suppressed,
}

/// A table that may be given away.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Protected {
    /// Row by row.
    pub cells: Vec<Vec<Cell>>,
    /// The sum of each row.
    pub row_totals: Vec<Cell>,
    /// The sum of each column.
    pub column_totals: Vec<Cell>,
    /// The sum of all.
    pub total: Cell,
    /// Cells and sums hidden because they are small.
    pub small: usize,
    /// Cells and sums hidden so that others are not given back.
    pub complementary: usize,
}

impl Table {
    /// Makes a table of rows of counts.
    ///
    /// # Errors
    /// Names the row whose length differs; refuses an empty table and counts of more than 2^40 in all.
    pub fn new(counts: Vec<Vec<u64>>) -> Result<Self, TableError> {
        let columns = counts.first().map_or(0, Vec::len);
        if columns == 0 {
            return Err(TableError::Empty);
        }
        if let Some((row, cells)) = counts.iter().enumerate().find(|(_, cells)| cells.len() != columns) {
            return Err(TableError::RowLength { row, cells: cells.len(), columns });
        }
        let all = counts.iter().flatten().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        if all.is_none_or(|all| all > MOST) {
            return Err(TableError::TooLarge);
        }
        Ok(Self { counts })
    }

    /// Takes out every cell and sum of 1 to `k - 1`, and as few further ones as a shortest-path heuristic finds so
    /// that, knowing every published number and that none is negative, nobody can tell a hidden one closer than to
    /// a range of `k` (its largest and smallest possible value differ by at least `k`). Zeros may be told: they are
    /// about nobody.
    ///
    /// What every row (column) says of itself is its sum; sums are hidden last.
    pub fn protect(&self, k: u64) -> Protected {
        let mut grid = self.grid();
        for cell in 0..grid.counts.len() {
            grid.hidden[cell] = (1..k).contains(&grid.counts[cell]);
        }
        let small = grid.hidden.iter().filter(|hidden| **hidden).count();
        let mut cell = 0;
        while cell < grid.counts.len() {
            let hides_more = grid.hidden[cell] && widen(&mut grid, cell, k);
            // What is hidden now may lie before; hiding only ever widens what was wide enough.
            cell = if hides_more { 0 } else { cell + 1 };
        }
        let hidden = grid.hidden.iter().filter(|hidden| **hidden).count();
        Protected::of(&grid, small, hidden - small)
    }

    fn grid(&self) -> Grid {
        let sum_of = |column: usize| self.counts.iter().map(|row| row[column]).sum::<u64>();
        let mut sums: Vec<u64> = (0..self.counts[0].len()).map(sum_of).collect();
        sums.push(sums.iter().sum());
        let mut counts: Vec<u64> = Vec::new();
        for row in &self.counts {
            counts.extend(row);
            counts.push(row.iter().sum());
        }
        let (rows, columns) = (self.counts.len() + 1, sums.len());
        counts.extend(sums);
        let hidden = vec![false; counts.len()];
        Grid { rows, columns, counts, hidden }
    }
}

/// Hides more cells until the hidden `cell` cannot be told closer than to a range of `k`. Returns whether it hid any.
fn widen(grid: &mut Grid, cell: usize, k: u64) -> bool {
    let mut hid = false;
    loop {
        let (up, down) = (grid.room(cell, true).0, grid.room(cell, false).0);
        if up + down >= k {
            return hid;
        }
        let found = (1..=k).rev().find_map(|amount| {
            // A way by no more than it has room already would hide nothing new.
            let ways = [(true, up), (false, down)].into_iter().filter(|(_, room)| amount > *room);
            let ways = ways.filter(|(up, _)| *up || amount <= grid.counts[cell]);
            let cost = |cell: usize| price(grid, cell);
            ways.filter_map(|(up, _)| grid.cheapest(cell, up, amount, cost))
                .filter(|cells| !cells.is_empty())
                .min_by_key(|cells| cells.iter().map(|&cell| cost(cell)).sum::<u64>())
        });
        // With everything hidden any cell can grow without end, so there is always a way.
        let Some(cells) = found else { return hid };
        for found in cells {
            grid.hidden[found] = true;
        }
        hid = true;
    }
}

/// What hiding a number costs: its people, and for sums so much that cells go first.
fn price(grid: &Grid, cell: usize) -> u64 {
    let all = grid.counts[grid.counts.len() - 1] + 1;
    match cell {
        cell if grid.is_grand_total(cell) => 64 * all,
        cell if grid.is_sum(cell) => 4 * all + grid.counts[cell],
        cell => grid.counts[cell] + 1,
    }
}

impl Protected {
    fn of(grid: &Grid, small: usize, complementary: usize) -> Self {
        let told = |(count, hidden): (&u64, &bool)| match hidden {
            true => Cell::Suppressed,
            false => Cell::Count(*count),
        };
        let all: Vec<Cell> = grid.counts.iter().zip(&grid.hidden).map(told).collect();
        let mut rows: Vec<Vec<Cell>> = all.chunks(grid.columns).map(<[Cell]>::to_vec).collect();
        let mut column_totals = rows.pop().unwrap_or_default();
        let total = column_totals.pop().unwrap_or(Cell::Suppressed);
        let row_totals = rows.iter_mut().map(|row| row.pop().unwrap_or(Cell::Suppressed)).collect();
        Self { cells: rows, row_totals, column_totals, total, small, complementary }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn protect(counts: &[&[u64]], k: u64) -> Protected {
        Table::new(counts.iter().map(|row| row.to_vec()).collect()).expect("is a table").protect(k)
    }

    #[test]
    fn a_small_cell_is_hidden_with_what_would_give_it_back() {
        let protected = protect(&[&[20, 3, 17], &[40, 50, 60], &[12, 30, 9]], 5);
        assert_eq!((protected.small, protected.complementary), (1, 3));
        assert_eq!(protected.cells[0][1], Cell::Suppressed);
        assert!(protected.row_totals.iter().all(|total| *total != Cell::Suppressed), "sums go last");
        assert_eq!(protected.total, Cell::Count(241));
    }

    #[test]
    fn a_table_without_small_cells_is_told_whole_and_zeros_are_told() {
        let protected = protect(&[&[20, 0], &[7, 9]], 5);
        assert_eq!((protected.small, protected.complementary), (0, 0));
        let json = serde_json::to_string(&protect(&[&[1]], 5)).expect("has a JSON form");
        assert_eq!(
            json,
            r#"{"cells":[[null]],"rowTotals":[null],"columnTotals":[null],"total":null,"small":4,"complementary":0}"#
        );
    }

    #[test]
    fn counts_that_make_no_table_are_refused() {
        assert_eq!(Table::new(vec![]), Err(TableError::Empty));
        assert_eq!(
            Table::new(vec![vec![1, 2], vec![3]]),
            Err(TableError::RowLength { row: 1, cells: 1, columns: 2 })
        );
        assert_eq!(Table::new(vec![vec![u64::MAX, 1]]), Err(TableError::TooLarge));
    }

    /// Whole numbers modulo a prime, for an elimination that rounds nothing.
    const PRIME: u64 = 1_000_000_007;

    fn power(base: u64, mut exponent: u64) -> u64 {
        let (mut base, mut result) = (base % PRIME, 1);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result * base % PRIME;
            }
            base = base * base % PRIME;
            exponent >>= 1;
        }
        result
    }

    fn rank(mut rows: Vec<Vec<u64>>) -> usize {
        let width = rows.first().map_or(0, Vec::len);
        let mut rank = 0;
        for column in 0..width {
            let Some(pivot) = (rank..rows.len()).find(|&row| rows[row][column] != 0) else { continue };
            rows.swap(rank, pivot);
            let inverse = power(rows[rank][column], PRIME - 2);
            let lead = rows[rank].clone();
            for row in rows.iter_mut().skip(rank + 1) {
                let factor = row[column] * inverse % PRIME;
                for (value, above) in row.iter_mut().zip(&lead) {
                    *value = (*value + PRIME - factor * above % PRIME) % PRIME;
                }
            }
            rank += 1;
        }
        rank
    }

    /// Returns the equations that the hidden cells must meet, one row per sum of the table.
    fn equations(grid: &Grid) -> Vec<Vec<u64>> {
        let hidden: Vec<usize> = (0..grid.counts.len()).filter(|&cell| grid.hidden[cell]).collect();
        let sign = |is_sum: bool| if is_sum { PRIME - 1 } else { 1 };
        let by_row = (0..grid.rows).map(|row| {
            let of = |&cell: &usize| match cell / grid.columns == row {
                true => sign(cell % grid.columns + 1 == grid.columns),
                false => 0,
            };
            hidden.iter().map(of).collect()
        });
        let by_column = (0..grid.columns).map(|column| {
            let of = |&cell: &usize| match cell % grid.columns == column {
                true => sign(cell / grid.columns + 1 == grid.rows),
                false => 0,
            };
            hidden.iter().map(of).collect()
        });
        by_row.chain(by_column).collect()
    }

    fn adds_up(grid: &Grid, counts: &[u64]) -> bool {
        let at = |row: usize, column: usize| counts[row * grid.columns + column];
        let (rows, columns) = (grid.rows - 1, grid.columns - 1);
        (0..=rows).all(|row| (0..columns).map(|column| at(row, column)).sum::<u64>() == at(row, columns))
            && (0..=columns)
                .all(|column| (0..rows).map(|row| at(row, column)).sum::<u64>() == at(rows, column))
    }

    fn hidden_grid(counts: &[Vec<u64>], k: u64) -> Grid {
        let table = Table::new(counts.to_vec()).expect("is a table");
        let protected = table.protect(k);
        let mut grid = table.grid();
        let mut cells = Vec::new();
        for (row, total) in protected.cells.iter().zip(&protected.row_totals) {
            cells.extend(row.iter().chain([total]).copied());
        }
        cells.extend(protected.column_totals.iter().chain([&protected.total]).copied());
        grid.hidden = cells.iter().map(|cell| *cell == Cell::Suppressed).collect();
        for (cell, count) in cells.iter().zip(&grid.counts) {
            assert!(*cell == Cell::Suppressed || *cell == Cell::Count(*count), "what is told is true");
        }
        grid
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Two independent proofs: no hidden cell follows from the equations, and for each there are two whole
        /// tables that show the same numbers and differ in it by `k`.
        #[test]
        fn no_hidden_cell_follows_from_what_is_told(
            counts in (1_usize..6, 1_usize..6).prop_flat_map(|(rows, columns)| {
                let count = prop_oneof![3 => 0_u64..12, 1 => 0_u64..400];
                prop::collection::vec(prop::collection::vec(count, columns), rows)
            }),
            k in 2_u64..8,
        ) {
            let grid = hidden_grid(&counts, k);
            let hidden: Vec<usize> = (0..grid.counts.len()).filter(|&cell| grid.hidden[cell]).collect();
            let system = equations(&grid);
            for (place, &cell) in hidden.iter().enumerate() {
                let mut with = system.clone();
                with.push((0..hidden.len()).map(|other| u64::from(other == place)).collect());
                prop_assert!(rank(with) > rank(system.clone()), "cell {cell} follows from the sums");
                let ((_, most), (_, least)) = (grid.room(cell, true), grid.room(cell, false));
                for other in [&most, &least] {
                    prop_assert!(adds_up(&grid, other));
                    let told = (0..grid.counts.len()).filter(|&cell| !grid.hidden[cell]);
                    prop_assert!(told.into_iter().all(|cell| other[cell] == grid.counts[cell]));
                }
                prop_assert!(most[cell] - least[cell] >= k, "cell {cell} is told too closely");
            }
            let small = (0..grid.counts.len()).filter(|&cell| (1..k).contains(&grid.counts[cell]));
            prop_assert!(small.into_iter().all(|cell| grid.hidden[cell]));
        }
    }
}
