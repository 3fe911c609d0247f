//! A space with what was added to it, and vectors.

use cbframe_libraries::chipmunk::*;

pub(crate) fn vector(x: f64, y: f64) -> cpVect {
    cpVect { x, y }
}

pub(crate) fn between(a: cpVect, b: cpVect) -> cpVect {
    vector(b.x - a.x, b.y - a.y)
}

pub(crate) fn length(v: cpVect) -> f64 {
    v.x.hypot(v.y)
}

#[track_caller]
pub(crate) fn assert_near(found: cpVect, expected: cpVect, tolerance: f64) {
    let off = length(between(found, expected));
    assert!(off <= tolerance, "{found:?} is {off} from {expected:?}");
}

pub(crate) const EVERYTHING: cpShapeFilter = cpShapeFilter { group: 0, categories: !0, mask: !0 };

/// A space and what was added to it.
pub(crate) struct Space {
    pub(crate) space: *mut cpSpace,
    pub(crate) bodies: Vec<*mut cpBody>,
    shapes: Vec<*mut cpShape>,
}

impl Space {
    pub(crate) fn new() -> Self {
        // SAFETY: there are no conditions.
        Self { space: unsafe { cpSpaceNew() }, bodies: Vec::new(), shapes: Vec::new() }
    }

    /// Adds a body whose velocity `update` updates.
    ///
    /// # Safety
    ///
    /// As long as the space lives, `update` may be called as Chipmunk calls such a function.
    pub(crate) unsafe fn add_body(&mut self, at: cpVect, velocity: cpVect, update: cpBodyVelocityFunc) {
        // SAFETY: space and body are live; the caller vouches for `update`.
        unsafe {
            let body = cpSpaceAddBody(self.space, cpBodyNew(1.0, 1.0));
            cpBodySetPosition(body, at);
            cpBodySetVelocity(body, velocity);
            cpBodySetVelocityUpdateFunc(body, update);
            self.bodies.push(body);
        }
    }

    /// Adds a shape that `make` makes of the body that never moves.
    ///
    /// # Safety
    ///
    /// `make` makes a new shape of the body that it is given.
    pub(crate) unsafe fn add_shape(&mut self, make: impl FnOnce(*mut cpBody) -> *mut cpShape) -> *mut cpShape {
        // SAFETY: the space is live, and the shape new.
        let shape = unsafe { cpSpaceAddShape(self.space, make(cpSpaceGetStaticBody(self.space))) };
        self.shapes.push(shape);
        shape
    }

    /// A circle of radius 1 around the origin and a box of 2 × 2 around (11, 0).
    pub(crate) fn with_circle_and_box() -> (Self, [*mut cpShape; 2]) {
        let mut space = Self::new();
        let square = cpBB { l: 10.0, b: -1.0, r: 12.0, t: 1.0 };
        // SAFETY: each makes a new shape of the body.
        let shapes = unsafe {
            [
                space.add_shape(|body| cpCircleShapeNew(body, 1.0, vector(0.0, 0.0))),
                space.add_shape(|body| cpBoxShapeNew2(body, square, 0.0)),
            ]
        };
        (space, shapes)
    }

    pub(crate) fn step(&self, dt: f64) {
        // SAFETY: the space is live.
        unsafe { cpSpaceStep(self.space, dt) };
    }

    /// Where a body is and how fast.
    pub(crate) fn motion(&self, body: usize) -> (cpVect, cpVect) {
        // SAFETY: the body is live.
        unsafe { (cpBodyGetPosition(self.bodies[body]), cpBodyGetVelocity(self.bodies[body])) }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // SAFETY: each was added to the space, and is not used again.
        unsafe {
            for &shape in &self.shapes {
                cpSpaceRemoveShape(self.space, shape);
                cpShapeFree(shape);
            }
            for &body in &self.bodies {
                cpSpaceRemoveBody(self.space, body);
                cpBodyFree(body);
            }
            cpSpaceFree(self.space);
        }
    }
}
