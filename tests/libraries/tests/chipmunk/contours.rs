//! Marching squares.

use std::f64::consts::{PI, TAU};
use std::ffi::c_void;
use std::ptr::null_mut;

use cbframe::cbframe;
use cbframe_libraries::chipmunk::*;

use crate::space::{between, length, vector};

/// A landscape, whose height is that of the highest of some cones.
struct Cones(Vec<(cpVect, f64)>);

#[cbframe(abi = "C")]
fn height(#[state] cones: &Cones, at: cpVect, _data: *mut c_void) -> f64 {
    cones.0.iter().map(|&(top, height)| height - length(between(top, at))).fold(f64::MIN, f64::max)
}

#[cbframe(abi = "C")]
fn segment(#[state] contour: &mut Vec<(cpVect, cpVect)>, from: cpVect, to: cpVect, _data: *mut c_void) {
    contour.push((from, to));
}

/// The contour of two cones at the height 1: circles, in 500 × 400 samples.
#[test]
fn contours_enclose_circles() {
    let cones = Cones(vec![(vector(-4.0, 1.0), 3.0), (vector(5.0, -2.0), 5.0)]);
    let (height, mut contour) = (height::bind(&cones).unwrap(), Vec::new());
    let collect = segment::bind(&mut contour).unwrap();
    let area = cpBB { l: -10.0, b: -10.0, r: 15.0, t: 10.0 };
    // SAFETY: calls back before it returns.
    unsafe {
        cpMarchSoft(area, 500, 400, 1.0, collect.as_fn_of(), null_mut(), height.as_fn_of(), null_mut());
    }
    drop(collect);

    assert!(contour.len() > 500);
    for (top, radius) in [(vector(-4.0, 1.0), 2.0), (vector(5.0, -2.0), 4.0)] {
        let on_it = |at: cpVect| (length(between(top, at)) - radius).abs() < 1e-3;
        let (mut twice_the_area, mut circumference) = (0.0, 0.0);
        for (from, to) in contour.iter().filter(|(from, to)| on_it(*from) && on_it(*to)) {
            let (a, b) = (between(top, *from), between(top, *to));
            twice_the_area += a.x * b.y - a.y * b.x;
            circumference += length(between(*from, *to));
        }
        let area: f64 = twice_the_area / 2.0;
        assert!((area.abs() / (PI * radius * radius) - 1.0).abs() < 1e-3, "{area} around {top:?}");
        assert!((circumference / (TAU * radius) - 1.0).abs() < 1e-3, "{circumference} around {top:?}");
    }
    assert!(contour.iter().all(|(from, to)| length(between(*from, *to)) < 0.08), "within a cell of 0.05 × 0.05");
}
