//! What calls in progress use, so that it is not dropped meanwhile: hazard pointers.
//!
//! A call *announces* what it uses in a record of its thread, and looks once more whether that is still to be used; who
//! has exchanged it looks through all records before it drops it. Between the two steps on either side there must be a
//! full barrier. The calls' one would cost more than the rest of them together, so they have none: whoever drops
//! something has the kernel put one into each running thread (`membarrier`, Linux 4.14). Where that is not to be had,
//! calls have a barrier after all.
//!
//! M. Michael, *Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects* (2004); the asymmetric barriers are those
//! of `membarrier(2)`, whose page has the same pattern.

use alloc::boxed::Box;
use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering, compiler_fence, fence};

use crate::activation::{self, Activation};
use crate::os;

/// How many calls of a thread a record has room for; for more the thread takes another.
const DEPTH: usize = RECORD / size_of::<Call>() - 1;

/// The alignment of records, which is their size: so the address alone tells whether a call is one of a record, or is
/// behind its last one.
const RECORD: usize = 512;

/// A call that is under way.
struct Call {
    /// What it uses.
    used: AtomicPtr<()>,
    /// The address of its stack frame; 0 if it has ended before one that began later. No atomic, whose loads the compiler
    /// would not make operands of comparisons.
    activation: Cell<usize>,
}

impl Call {
    /// It is over, and did not end itself.
    fn forget(&self) {
        if !self.used.swap(ptr::null_mut(), Ordering::AcqRel).is_null() {
            FORGOTTEN.store(true, Ordering::Release);
        }
    }
}

// SAFETY: `activation` is used by the thread that has the record alone; who takes a record over has waited for `taken`.
unsafe impl Sync for Call {}

/// What the calls of one thread use: a *record*. Never freed: threads that start later take over those of threads that
/// have ended.
#[repr(C, align(512))]
struct Calls {
    /// The first has an `activation` that lies above all others, and is none.
    calls: [Call; DEPTH + 1],
    /// Whether a thread has it.
    taken: AtomicBool,
    /// The record of this thread's outer calls, if they fill one.
    before: AtomicPtr<Self>,
    /// All records, a list.
    next: AtomicPtr<Self>,
}

const _: () = assert!(align_of::<Calls>() == RECORD && size_of::<[Call; DEPTH + 1]>() == RECORD);

/// All records.
static ALL: AtomicPtr<Calls> = AtomicPtr::new(ptr::null_mut());

std::thread_local! {
    /// Where this thread's next call goes; a multiple of `RECORD` if there is no room. `const` and without a destructor: one
    /// instruction to reach.
    static TOP: Cell<*const Call> = const { Cell::new(ptr::null()) };
    /// The record that this is in.
    static OWN: Cell<*const Calls> = const { Cell::new(ptr::null()) };
    /// Gives it back when the thread ends.
    static GIVE_BACK: GiveBack = const { GiveBack };
}

struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        TOP.set(ptr::null());
        // SAFETY: null, or a record, which is never freed.
        let mut own = unsafe { OWN.replace(ptr::null()).as_ref() };
        while let Some(record) = own {
            own = record.before();
            // Calls that are under way now were jumped over: the thread has no stack any more.
            record.give_back();
        }
    }
}

impl Calls {
    /// One that no thread has.
    fn claim() -> &'static Self {
        let mut next = ALL.load(Ordering::Acquire);
        // SAFETY: the list has records only, and they are never freed.
        while let Some(found) = unsafe { next.as_ref() } {
            if !found.taken.swap(true, Ordering::Acquire) {
                return found;
            }
            next = found.next.load(Ordering::Relaxed);
        }
        let own: &'static Self = Box::leak(Box::new(Self {
            taken: AtomicBool::new(true),
            before: AtomicPtr::new(ptr::null_mut()),
            next: AtomicPtr::new(ptr::null_mut()),
            calls: [const { Call { used: AtomicPtr::new(ptr::null_mut()), activation: Cell::new(0) } }; DEPTH + 1],
        }));
        own.calls[0].activation.set(usize::MAX);
        let mut first = ALL.load(Ordering::Relaxed);
        loop {
            own.next.store(first, Ordering::Relaxed);
            match ALL.compare_exchange_weak(first, ptr::from_ref(own).cast_mut(), Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return own,
                Err(now) => first = now,
            }
        }
    }

    fn first(&'static self) -> *const Call {
        &raw const self.calls[1]
    }

    /// Behind the last one.
    fn end(&'static self) -> *const Call {
        self.calls.as_ptr_range().end
    }

    /// The record of this thread's outer calls.
    fn before(&self) -> Option<&'static Self> {
        // SAFETY: null, or a record, which is never freed.
        unsafe { self.before.load(Ordering::Relaxed).as_ref() }
    }

    fn give_back(&self) {
        for call in &self.calls[1..] {
            call.activation.set(0);
            call.forget();
        }
        self.before.store(ptr::null_mut(), Ordering::Relaxed);
        self.taken.store(false, Ordering::Release);
    }

    fn has(&self, call: *const Call) -> bool {
        self.calls.as_ptr_range().contains(&call)
    }
}

/// Makes room for a call at `here`: gives this thread a record, or forgets calls that were jumped over as far as `here`
/// can tell, or takes another record.
#[cold]
#[inline(never)]
fn make_room(here: Activation) -> *const Call {
    // SAFETY: null, or a record, which is never freed.
    let Some(mut own) = (unsafe { OWN.get().as_ref() }) else {
        let own = Calls::claim();
        OWN.set(own);
        TOP.set(own.first());
        // When the thread is ending it may be too late; then the record stays its own for ever.
        let _ = GIVE_BACK.try_with(|_| ());
        return own.first();
    };
    let mut top = TOP.get();
    loop {
        // SAFETY: `top` is behind the first call of the record, which is none.
        let last = unsafe { &*top.sub(1) };
        if Activation::at(last.activation.get()).is_none_or(|last| last.is_over(here)) {
            last.activation.set(0);
            last.forget();
            top = last;
        } else if let (true, Some(before)) = (ptr::eq(top, own.first()), own.before()) {
            own.give_back();
            own = before;
            top = own.end();
        } else {
            break;
        }
    }
    if ptr::eq(top, own.end()) {
        let next = Calls::claim();
        next.before.store(ptr::from_ref(own).cast_mut(), Ordering::Relaxed);
        own = next;
        top = own.first();
    }
    OWN.set(own);
    TOP.set(top);
    top
}

/// Whether calls need a barrier of their own: `full` for [`using`]. The same for as long as the program runs.
pub(crate) fn calls_need_barriers() -> bool {
    !has_membarrier()
}

/// A barrier between an announcement and what follows, as far as other threads see it.
#[inline(always)]
fn barrier(full: bool) {
    compiler_fence(Ordering::SeqCst);
    if full {
        fence(Ordering::SeqCst);
    }
}

/// Announces what `place` holds, until it still holds that afterwards.
#[cold]
#[inline(never)]
fn announce(own: &Call, place: &AtomicPtr<()>) -> *mut () {
    let mut used = place.load(Ordering::Acquire);
    loop {
        let before = own.used.swap(used, Ordering::AcqRel);
        barrier(true);
        let now = place.load(Ordering::Acquire);
        // Who has exchanged what was announced before may have found it in use, by this call: nobody else would look again.
        collect(before);
        if now == used {
            return used;
        }
        used = now;
    }
}

/// Runs `call` with what `place` holds when it begins, which stays as it is until it ends.
///
/// `name` is what a message calls it. Inlined into the callback's shim, whose stack frame stands for the call.
///
/// # Safety
///
/// `call` does not unwind unless `unwind`. `FULL`, if [`calls_need_barriers`].
#[inline(always)]
pub(super) unsafe fn using<R, const FULL: bool>(
    place: &AtomicPtr<()>,
    name: &'static str,
    unwind: bool,
    call: impl FnOnce(*mut ()) -> R,
) -> R {
    let here = Activation::here();
    let mut own = TOP.get();
    // SAFETY: there is a call before it, since it is not the first of a record.
    if own.addr().is_multiple_of(RECORD) || unsafe { &*own.sub(1) }.activation.get() <= here.address() {
        own = make_room(here);
    }
    // SAFETY: a record is never freed; `own` is one of its calls, not behind the last one.
    let own = unsafe { &*own };
    own.activation.set(here.address());
    // A signal handler that finds the next place finds this call in progress.
    compiler_fence(Ordering::Release);
    TOP.set(ptr::from_ref(own).wrapping_add(1));
    let mut used = place.load(Ordering::Acquire);
    own.used.store(used, Ordering::Release);
    barrier(FULL);
    // Whoever exchanges it after this sees the announcement.
    if place.load(Ordering::Acquire) != used {
        used = announce(own, place);
    }
    let ending = unwind.then(|| Unwound { own, here, place, name });
    let result = call(used);
    core::mem::forget(ending);

    // The same as `here`, and as `used`, which are not worth a register each.
    let here = Activation::here();
    let used = own.used.load(Ordering::Relaxed);
    if ptr::eq(TOP.get(), ptr::from_ref(own).wrapping_add(1)) && own.activation.get() == here.address() {
        own.used.store(ptr::null_mut(), Ordering::Release);
        TOP.set(own);
    } else {
        end_out_of_order(own, here, name);
    }
    barrier(FULL);
    // Who has exchanged it either saw the announcement gone, or is seen here.
    if place.load(Ordering::Relaxed) != used {
        collect(used);
    }
    result
}

/// The end of a call that is unwound.
struct Unwound<'a> {
    own: &'static Call,
    here: Activation,
    place: &'a AtomicPtr<()>,
    name: &'static str,
}

impl Drop for Unwound<'_> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        let used = self.own.used.load(Ordering::Relaxed);
        end_out_of_order(self.own, self.here, self.name);
        barrier(true);
        if self.place.load(Ordering::Relaxed) != used {
            collect(used);
        }
    }
}

/// Ends any call: one that is not the last to have begun, on coroutines' stacks; the last one of a record that is not
/// the thread's last; or does not return, if it was over.
#[cold]
#[inline(never)]
fn end_out_of_order(call: &'static Call, here: Activation, name: &str) {
    // SAFETY: null, or a record, which is never freed.
    let mut own = unsafe { OWN.get().as_ref() };
    while let Some(record) = own
        && !record.has(call)
    {
        own = record.before();
    }
    if own.is_none() || call.activation.get() != here.address() {
        activation::report_dead(name);
    }
    call.activation.set(0);
    call.used.store(ptr::null_mut(), Ordering::Release);
    // Goes back to the last call that is under way.
    make_room(here);
}

/// What is not used any more by new calls, and how to drop it.
pub(super) struct Retired {
    pub(super) what: *mut (),
    pub(super) drop: unsafe fn(*mut ()),
}

// SAFETY: what is retired here is `Send`, as `retire` demands.
unsafe impl Send for Retired {}

static RETIRED: std::sync::Mutex<alloc::vec::Vec<Retired>> = std::sync::Mutex::new(alloc::vec::Vec::new());

fn retired() -> std::sync::MutexGuard<'static, alloc::vec::Vec<Retired>> {
    RETIRED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Drops something as soon as no call uses it: now, or when the last one ends, on the thread of that call.
///
/// # Safety
///
/// It has been in a place that calls `using`, is not any more, and will not be again; it can be dropped on any
/// thread.
pub(super) unsafe fn retire(it: Retired) {
    let what = it.what;
    retired().push(it);
    collect(what);
}

/// Whether there may be something that no call will look for when it ends.
static FORGOTTEN: AtomicBool = AtomicBool::new(false);

/// Drops this if it was retired and no call uses it; what others are about to look for is left to them, but for what was forgotten.
#[cold]
#[inline(never)]
fn collect(what: *mut ()) {
    let mut all = retired();
    if !barrier_everywhere() {
        // Nobody can tell who uses what: it stays.
        FORGOTTEN.store(true, Ordering::Release);
        return;
    }
    let every = FORGOTTEN.swap(false, Ordering::AcqRel);
    let unused: alloc::vec::Vec<Retired> =
        all.extract_if(.., |it| (every || it.what == what) && !is_used(it.what)).collect();
    drop(all);
    for it in unused {
        // SAFETY: `retire` demands that it may be dropped once nobody uses it, and nobody does: the calls that found it
        // in its place had announced it before the barrier, and none does any more.
        unsafe { (it.drop)(it.what) };
    }
}

/// Whether a call has announced it.
fn is_used(what: *mut ()) -> bool {
    let mut next = ALL.load(Ordering::Acquire);
    // SAFETY: the list has records only, and they are never freed.
    while let Some(record) = unsafe { next.as_ref() } {
        if record.calls.iter().any(|call| call.used.load(Ordering::Acquire) == what) {
            return true;
        }
        next = record.next.load(Ordering::Relaxed);
    }
    false
}

/// Whether the kernel puts barriers into other threads.
fn has_membarrier() -> bool {
    static KNOWN: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *KNOWN.get_or_init(os::register_membarrier)
}

/// A barrier in this thread and, where calls have none of their own, in every other; whether it succeeded.
fn barrier_everywhere() -> bool {
    fence(Ordering::SeqCst);
    // A child process may have to register anew.
    !has_membarrier() || os::membarrier() || (os::register_membarrier() && os::membarrier())
}
