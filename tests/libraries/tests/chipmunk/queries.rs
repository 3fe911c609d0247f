//! Queries: several vectors beside each other.

use std::ffi::c_void;
use std::ptr::null_mut;

use cbframe::cbframe;
use cbframe_libraries::chipmunk::*;

use crate::space::{EVERYTHING, Space, assert_near, vector};

/// Where a query meets a shape.
struct Hit {
    /// The address of the shape.
    shape: usize,
    point: cpVect,
    direction: cpVect,
    /// The distance, or how far along the line.
    far: f64,
}

#[cbframe(abi = "C")]
fn near(
    #[state] hits: &mut Vec<Hit>,
    shape: usize,
    point: cpVect,
    distance: f64,
    gradient: cpVect,
    _data: *mut c_void,
) {
    hits.push(Hit { shape, point, direction: gradient, far: distance });
}

#[cbframe(abi = "C")]
fn on_the_line(
    #[state] hits: &mut Vec<Hit>,
    shape: usize,
    point: cpVect,
    normal: cpVect,
    alpha: f64,
    _data: *mut c_void,
) {
    hits.push(Hit { shape, point, direction: normal, far: alpha });
}

#[track_caller]
fn assert_hit(hits: &[Hit], shape: *mut cpShape, point: cpVect, direction: cpVect, far: f64) {
    let hit = hits.iter().find(|hit| hit.shape == shape.addr()).expect("the shape is hit");
    assert_near(hit.point, point, 1e-12);
    assert_near(hit.direction, direction, 1e-12);
    assert!((hit.far - far).abs() < 1e-12, "{} is not {far}", hit.far);
}

/// Points and distances of a circle and a box from (5, 0), and from a point from which neither is straight ahead.
#[test]
fn queries_report_points_and_directions() {
    let (space, [circle, square]) = Space::with_circle_and_box();
    let query = |at, farthest| {
        let mut hits = Vec::new();
        let frame = near::bind(&mut hits).unwrap();
        // SAFETY: the query calls back before it returns.
        unsafe { cpSpacePointQuery(space.space, at, farthest, EVERYTHING, frame.as_fn_of(), null_mut()) };
        drop(frame);
        hits
    };

    let hits = query(vector(5.0, 0.0), 10.0);
    assert_eq!(hits.len(), 2);
    assert_hit(&hits, circle, vector(1.0, 0.0), vector(1.0, 0.0), 4.0);
    assert_hit(&hits, square, vector(10.0, 0.0), vector(-1.0, 0.0), 5.0);

    // 3 : 4 : 5 from the circle's center and from the box's corner (10, 1).
    let hits = query(vector(7.0, 5.0), 10.0);
    assert_hit(&hits, square, vector(10.0, 1.0), vector(-0.6, 0.8), 5.0);
    let hits = query(vector(-3.0, 4.0), 10.0);
    assert_eq!(hits.len(), 1, "the box is too far");
    assert_hit(&hits, circle, vector(-0.6, 0.8), vector(-0.6, 0.8), 4.0);

    let mut hits = Vec::new();
    let frame = on_the_line::bind(&mut hits).unwrap();
    let (from, to) = (vector(-5.0, 0.0), vector(20.0, 0.0));
    // SAFETY: the query calls back before it returns.
    unsafe { cpSpaceSegmentQuery(space.space, from, to, 0.0, EVERYTHING, frame.as_fn_of(), null_mut()) };
    drop(frame);
    assert_eq!(hits.len(), 2);
    assert_hit(&hits, circle, vector(-1.0, 0.0), vector(-1.0, 0.0), 4.0 / 25.0);
    assert_hit(&hits, square, vector(10.0, 0.0), vector(-1.0, 0.0), 15.0 / 25.0);
}
