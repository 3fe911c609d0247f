//! Velocity functions: Chipmunk has one for each body, and passes it nothing of ours.

use std::f64::consts::TAU;

use cbframe::cbframe;
use cbframe_libraries::chipmunk::*;

use crate::space::{Space, assert_near, between, length, vector};

/// What attracts a body. Chipmunk has one velocity function for each body, and passes it nothing else.
struct Planet {
    center: cpVect,
    /// The gravitational constant times the mass.
    strength: f64,
}

lanes! {
    #[cbframe(abi = "C")]
    fn attract(#[state] planet: &Planet, body: *mut cpBody, gravity: cpVect, damping: f64, dt: f64) {
        // SAFETY: Chipmunk passes a body.
        let to_center = between(unsafe { cpBodyGetPosition(body) }, planet.center);
        let pull = planet.strength / length(to_center).powi(3);
        let gravity = vector(gravity.x + to_center.x * pull, gravity.y + to_center.y * pull);
        // SAFETY: as above.
        unsafe { cpBodyUpdateVelocity(body, gravity, damping, dt) };
    }

    #[cbframe(abi = "C")]
    fn lift(#[state] factor: &f64, body: *mut cpBody, gravity: cpVect, damping: f64, dt: f64) {
        let gravity = vector(gravity.x * factor, gravity.y * factor);
        // SAFETY: Chipmunk passes a body.
        unsafe { cpBodyUpdateVelocity(body, gravity, damping, dt) };
    }
}

/// Two bodies, each around a planet of its own, on circles.
///
/// Kepler's third law: once around takes 2π √(r³ ÷ strength), here the same for both.
#[test]
fn bodies_orbit_their_planets() {
    const STEPS: u32 = 4000;
    let planets = [
        Planet { center: vector(-500.0, 0.0), strength: 1e6 },
        Planet { center: vector(1000.0, 300.0), strength: 8e6 },
    ];
    let radii = [100.0, 200.0];
    let around = |planet: &Planet, x, y| vector(planet.center.x + x, planet.center.y + y);

    let ends = in_each_lane!(lane => {
        let frames = planets.each_ref().map(|planet| lane::attract::bind(planet).unwrap());
        let mut space = Space::new();
        for ((planet, radius), frame) in planets.iter().zip(radii).zip(&frames) {
            let speed = (planet.strength / radius).sqrt();
            // SAFETY: the frame lives longer than the space.
            unsafe { space.add_body(around(planet, radius, 0.0), vector(0.0, speed), frame.as_fn_of()) };
        }
        let dt = TAU * (radii[0].powi(3) / planets[0].strength).sqrt() / f64::from(STEPS);
        for (quarter, (x, y)) in [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0)].into_iter().enumerate() {
            (0..STEPS / 4).for_each(|_| space.step(dt));
            for (body, (planet, radius)) in planets.iter().zip(radii).enumerate() {
                let (at, _) = space.motion(body);
                // What the integrator makes of 4000 steps.
                assert_near(at, around(planet, x * radius, y * radius), radius * 0.01 * (quarter + 1) as f64 / 4.0);
            }
        }
        [space.motion(0), space.motion(1)].map(|(at, velocity)| [at.x, at.y, velocity.x, velocity.y].map(f64::to_bits))
    });
    assert_eq!(ends[1].1, ends[0].1, "through the stack entry, bit by bit");
    assert_eq!(ends[2].1, ends[0].1, "captured, bit by bit");
}

/// A body that gravity pulls half as strong and the other way moves exactly as one in a space with such a gravity.
#[test]
fn a_balloon_rises() {
    /// # Safety
    ///
    /// Chipmunk may call `update` until this returns.
    unsafe fn fly(gravity: cpVect, update: cpBodyVelocityFunc) -> [f64; 4] {
        let mut space = Space::new();
        // SAFETY: the space is live, and not for longer than the caller vouches for `update`.
        unsafe {
            cpSpaceSetGravity(space.space, gravity);
            cpSpaceSetDamping(space.space, 0.75);
            space.add_body(vector(1.0, 2.0), vector(5.0, 0.0), update);
        }
        (0..200).for_each(|_| space.step(1.0 / 64.0));
        let (at, velocity) = space.motion(0);
        [at.x, at.y, velocity.x, velocity.y]
    }

    // SAFETY: the function is Chipmunk's own.
    let expected = unsafe { fly(vector(-1.5, 5.0), Some(cpBodyUpdateVelocity)) };
    assert!(expected[1] > 10.0, "it rises: {expected:?}");
    for (lane, found) in in_each_lane!(lane => {
        let frame = lane::lift::bind(-0.5).unwrap();
        // SAFETY: the frame lives.
        unsafe { fly(vector(3.0, -10.0), frame.as_fn_of()) }
    }) {
        assert_eq!(found, expected, "{lane}");
    }
}
