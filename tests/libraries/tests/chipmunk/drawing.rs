//! Drawing a space.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{c_int, c_void};
use std::fmt::Write;
use std::ptr::null_mut;
use std::slice;
use std::sync::Mutex;

use cbframe::cbframe;
use cbframe_libraries::chipmunk::*;

use crate::space::{Space, vector};

/// A drawing that five callbacks add to.
#[derive(Default)]
struct Svg(Mutex<String>);

impl Svg {
    fn add(&self, element: std::fmt::Arguments<'_>) {
        writeln!(self.0.lock().unwrap(), "{element}").unwrap();
    }
}

fn css(color: cpSpaceDebugColor) -> String {
    let [r, g, b] = [color.r, color.g, color.b].map(|part| (part * 255.0).round());
    format!("rgb({r} {g} {b} / {})", color.a)
}

/// The colors of shapes.
struct Palette(HashMap<usize, cpSpaceDebugColor>);

lanes! {
    #[cbframe(abi = "C")]
    fn draw_circle(
        #[state] svg: &Svg,
        center: cpVect,
        _angle: f64,
        radius: f64,
        outline: cpSpaceDebugColor,
        fill: cpSpaceDebugColor,
        _data: *mut c_void,
    ) {
        let (cpVect { x, y }, stroke, fill) = (center, css(outline), css(fill));
        svg.add(format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" stroke="{stroke}" fill="{fill}"/>"#));
    }

    #[cbframe(abi = "C")]
    fn draw_segment(#[state] svg: &Svg, a: cpVect, b: cpVect, color: cpSpaceDebugColor, _data: *mut c_void) {
        svg.add(format_args!(r#"<path d="M {} {} L {} {}" stroke="{}"/>"#, a.x, a.y, b.x, b.y, css(color)));
    }

    // Two vectors, a number and the outline take seven of the eight registers for floats: `fill`, which needs two, is
    // on the stack.
    #[cbframe(abi = "C")]
    fn draw_fat_segment(
        #[state] svg: &Svg,
        a: cpVect,
        b: cpVect,
        radius: f64,
        outline: cpSpaceDebugColor,
        fill: cpSpaceDebugColor,
        _data: *mut c_void,
    ) {
        svg.add(format_args!(
            r#"<path d="M {} {} L {} {}" stroke-width="{}" stroke="{}" fill="{}"/>"#,
            a.x,
            a.y,
            b.x,
            b.y,
            radius * 2.0,
            css(outline),
            css(fill),
        ));
    }

    #[cbframe(abi = "C")]
    fn draw_polygon(
        #[state] svg: &Svg,
        count: c_int,
        corners: *const cpVect,
        _radius: f64,
        outline: cpSpaceDebugColor,
        fill: cpSpaceDebugColor,
        _data: *mut c_void,
    ) {
        // SAFETY: Chipmunk passes the address of `count` vectors.
        let corners = unsafe { slice::from_raw_parts(corners, count as usize) };
        let mut points: Vec<String> = corners.iter().map(|corner| format!("{},{}", corner.x, corner.y)).collect();
        points.sort();
        let (points, stroke, fill) = (points.join(" "), css(outline), css(fill));
        svg.add(format_args!(r#"<polygon points="{points}" stroke="{stroke}" fill="{fill}"/>"#));
    }

    #[cbframe(abi = "C")]
    fn draw_dot(#[state] svg: &Svg, size: f64, at: cpVect, color: cpSpaceDebugColor, _data: *mut c_void) {
        svg.add(format_args!(r#"<circle cx="{}" cy="{}" r="{}" fill="{}"/>"#, at.x, at.y, size / 2.0, css(color)));
    }

    // Chipmunk passes what this returns on to the function that draws the shape.
    #[cbframe(abi = "C")]
    fn color_of(#[state] palette: &Palette, shape: usize, _data: *mut c_void) -> cpSpaceDebugColor {
        palette.0[&shape]
    }
}

#[test]
fn a_space_is_drawn_as_svg() {
    let color = |r, g, b, a| cpSpaceDebugColor { r, g, b, a };
    let (mut space, [circle, square]) = Space::with_circle_and_box();
    // SAFETY: makes a new shape of the body.
    let segment = unsafe { space.add_shape(|body| cpSegmentShapeNew(body, vector(-1.5, 3.0), vector(2.0, 4.25), 0.5)) };
    let palette = Palette(HashMap::from([
        (circle.addr(), color(1.0, 0.0, 0.2, 1.0)),
        (square.addr(), color(0.0, 0.4, 1.0, 0.25)),
        (segment.addr(), color(0.8, 0.6, 0.4, 0.5)),
    ]));

    // SAFETY: the bodies live as long as the joint, which is removed below.
    let joint = unsafe {
        space.add_body(vector(6.0, 7.0), vector(0.0, 0.0), Some(cpBodyUpdateVelocity));
        let ground = cpSpaceGetStaticBody(space.space);
        let joint = cpPinJointNew(ground, space.bodies[0], vector(4.0, 4.5), vector(0.5, 0.0));
        cpSpaceAddConstraint(space.space, joint)
    };

    let drawings = in_each_lane!(lane => {
        let svg = Svg::default();
        let frames = (
            lane::draw_circle::bind(&svg).unwrap(),
            lane::draw_segment::bind(&svg).unwrap(),
            lane::draw_fat_segment::bind(&svg).unwrap(),
            lane::draw_polygon::bind(&svg).unwrap(),
            lane::draw_dot::bind(&svg).unwrap(),
            lane::color_of::bind(&palette).unwrap(),
        );
        let mut options = cpSpaceDebugDrawOptions {
            drawCircle: frames.0.as_fn_of(),
            drawSegment: frames.1.as_fn_of(),
            drawFatSegment: frames.2.as_fn_of(),
            drawPolygon: frames.3.as_fn_of(),
            drawDot: frames.4.as_fn_of(),
            flags: CP_SPACE_DEBUG_DRAW_SHAPES | CP_SPACE_DEBUG_DRAW_CONSTRAINTS,
            shapeOutlineColor: color(0.2, 0.4, 0.6, 0.75),
            colorForShape: frames.5.as_fn_of(),
            constraintColor: color(0.0, 0.6, 0.0, 1.0),
            collisionPointColor: color(0.0, 0.0, 0.0, 0.0),
            data: null_mut(),
        };
        // SAFETY: the space is live, and Chipmunk calls back before it returns.
        unsafe { cpSpaceDebugDraw(space.space, &raw mut options) };
        drop(frames);
        svg.0.into_inner().unwrap()
    });
    // SAFETY: the joint is in the space, and not used again.
    unsafe {
        cpSpaceRemoveConstraint(space.space, joint);
        cpConstraintFree(joint);
    }

    let expected = BTreeSet::from([
        r#"<circle cx="0" cy="0" r="1" stroke="rgb(51 102 153 / 0.75)" fill="rgb(255 0 51 / 1)"/>"#,
        r#"<polygon points="10,-1 10,1 12,-1 12,1" stroke="rgb(51 102 153 / 0.75)" fill="rgb(0 102 255 / 0.25)"/>"#,
        r#"<path d="M -1.5 3 L 2 4.25" stroke-width="1" stroke="rgb(51 102 153 / 0.75)" fill="rgb(204 153 102 / 0.5)"/>"#,
        r#"<circle cx="4" cy="4.5" r="2.5" fill="rgb(0 153 0 / 1)"/>"#,
        r#"<circle cx="6.5" cy="7" r="2.5" fill="rgb(0 153 0 / 1)"/>"#,
        r#"<path d="M 4 4.5 L 6.5 7" stroke="rgb(0 153 0 / 1)"/>"#,
    ]);
    for (lane, drawing) in drawings {
        assert_eq!(BTreeSet::from_iter(drawing.lines()), expected, "{lane}");
    }
}
