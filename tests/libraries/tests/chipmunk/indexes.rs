//! Spatial indexes, which ask for bounds and velocities.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};

use cbframe::cbframe;
use cbframe_libraries::chipmunk::*;

use crate::space::vector;

/// Things by their number, from 1: all that a spatial index knows of them.
struct Things {
    bounds: Vec<cpBB>,
    velocities: Vec<cpVect>,
}

lanes! {
    #[cbframe(abi = "C")]
    fn bounds(#[state] things: &Things, thing: usize) -> cpBB {
        things.bounds[thing - 1]
    }

    #[cbframe(abi = "C")]
    fn velocity(#[state] things: &Things, thing: usize) -> cpVect {
        things.velocities[thing - 1]
    }
}

/// One of Chipmunk's spatial indexes over [`Things`].
struct Index(*mut cpSpatialIndex);

#[cbframe(abi = "C")]
fn candidate(#[state] found: &mut BTreeSet<usize>, _nobody: usize, thing: usize, id: u32, _data: *mut c_void) -> u32 {
    found.insert(thing);
    id
}

impl Index {
    fn functions(&self) -> &cpSpatialIndexClass {
        // SAFETY: an index lives as long as this does, and its class for ever.
        unsafe { &*(*self.0).klass }
    }

    /// Inserts the things 1 to `count`. (What `cpSpatialIndexInsert` does; it is `inline`, so bindgen has nothing to
    /// link with.)
    fn fill(&self, count: usize) {
        let insert = self.functions().insert.unwrap();
        for thing in 1..=count {
            // SAFETY: the index takes any pointer that is not null, for it passes it to its callbacks only.
            unsafe { insert(self.0, without_provenance_mut(thing), thing) };
        }
    }

    /// Everything that the index thinks may be in `area`.
    fn candidates(&self, area: cpBB) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let frame = candidate::bind(&mut found).unwrap();
        // SAFETY: calls back before it returns.
        unsafe { self.functions().query.unwrap()(self.0, null_mut(), area, frame.as_fn_of(), null_mut()) };
        drop(frame);
        found
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // SAFETY: not used again.
        unsafe { cpSpatialIndexFree(self.0) };
    }
}

/// Three of Chipmunk's indexes ask a callback for each thing's bounds, which it returns in memory.
#[test]
fn spatial_indexes_find_things_by_their_bounds() {
    // Boxes of different sizes, in a pattern that does not repeat.
    let bounds: Vec<cpBB> = (0..400)
        .map(|i| (f64::from(i * 37 % 401), f64::from(i * 151 % 397), f64::from(1 + i % 17), f64::from(1 + i % 23)))
        .map(|(l, b, width, height)| cpBB { l, b, r: l + width, t: b + height })
        .collect();
    let things = Things { bounds: bounds.clone(), velocities: Vec::new() };
    let those = |select: &dyn Fn(&cpBB) -> bool| -> BTreeSet<usize> {
        (1..).zip(&bounds).filter(|(_, bb)| select(bb)).map(|(thing, _)| thing).collect()
    };
    let spot = |i: u8| (f64::from(i % 8) * 50.0 + 0.5, f64::from(i / 8) * 50.0 + 0.5);
    let areas: Vec<cpBB> = (0..64).map(spot).map(|(l, b)| cpBB { l, b, r: l + 20.0, t: b + 20.0 }).collect();

    for (lane, indexes) in in_each_lane!(lane => {
        let frame = lane::bounds::bind(&things).unwrap();
        // SAFETY: the frame lives longer than the indexes.
        let indexes = unsafe {
            [
                Index(cpBBTreeNew(frame.as_fn_of(), null_mut())),
                Index(cpSweep1DNew(frame.as_fn_of(), null_mut())),
                Index(cpSpaceHashNew(16.0, 4096, frame.as_fn_of(), null_mut())),
            ]
        };
        indexes.map(|index| {
            index.fill(bounds.len());
            Vec::from_iter(areas.iter().map(|&area| index.candidates(area)))
        })
    }) {
        for (i, area) in areas.iter().enumerate() {
            let beside = those(&|bb| bb.l <= area.r && area.l <= bb.r);
            let inside = those(&|bb| bb.l <= area.r && area.l <= bb.r && bb.b <= area.t && area.b <= bb.t);
            let [tree, sweep, hash] = indexes.each_ref().map(|found| &found[i]);
            assert_eq!(*tree, inside, "{lane}: the tree compares bounds with {area:?}");
            assert_eq!(*sweep, beside, "{lane}: the sweep looks along one axis at {area:?}");
            let (few, count) = (hash.len(), bounds.len());
            assert!(
                hash.is_superset(&inside) && few < count / 4,
                "{lane}: the hash looks into cells of {area:?}: {few}"
            );
        }
    }
}

/// A tree makes room for where a thing is going, as a callback tells it by a vector that it returns.
#[test]
fn a_tree_looks_ahead() {
    let square = cpBB { l: 0.0, b: 0.0, r: 1.0, t: 1.0 };
    let things =
        Things { bounds: vec![square; 3], velocities: vec![vector(0.0, 0.0), vector(50.0, 0.0), vector(0.0, -50.0)] };
    let spot = |x, y| cpBB { l: x, b: y, r: x + 0.5, t: y + 0.5 };
    for (lane, found) in in_each_lane!(lane => {
        let bounds = lane::bounds::bind(&things).unwrap();
        let velocity = lane::velocity::bind(&things).unwrap();
        // SAFETY: the frames live longer than the tree.
        let tree = unsafe {
            let tree = cpBBTreeNew(bounds.as_fn_of(), null_mut());
            cpBBTreeSetVelocityFunc(tree, velocity.as_fn_of());
            Index(tree)
        };
        tree.fill(3);
        [spot(0.25, 0.25), spot(3.0, 0.25), spot(0.25, -3.0), spot(-3.0, 0.25), spot(0.25, 3.0)]
            .map(|area| Vec::from_iter(tree.candidates(area)))
    }) {
        assert_eq!(found, [vec![1, 2, 3], vec![2], vec![3], vec![], vec![]], "{lane}");
    }
}
