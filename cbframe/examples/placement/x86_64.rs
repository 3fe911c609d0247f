//! A calling convention that is defined here and nowhere else: by an algorithm, as compilers for the 68000 pass arguments.
//!
//! Data goes in data registers, for which eax, ecx, edx and ebx stand here, addresses in address registers, r8 to r11, and
//! what is left over on the stack. The caller is a few lines of assembly, which know nothing of the library.
//!
//! ```console
//! $ cargo run --example placement
//! ```

use std::arch::naked_asm;
use std::error::Error;
use std::ffi::CStr;

use cbframe::abi::{Parts, Place, Placement, Placing, Refusal, Register, Signature};
use cbframe::types::{Kind, Type};
use cbframe::{DynFrame, Value};

/// Data registers and address registers.
struct LikeThe68000;

/// eax, ecx, edx, ebx.
const DATA: [u8; 4] = [0, 1, 2, 3];
const ADDRESS: [u8; 4] = [8, 9, 10, 11];

// SAFETY: the assembly below puts arguments where this says, and takes the result from where it says.
unsafe impl Placement for LikeThe68000 {
    fn place(&self, values: &mut Placing<'_>) -> Result<(), Refusal> {
        let (mut data, mut addresses, mut stack) = (DATA.into_iter(), ADDRESS.into_iter(), 0);
        for index in 0..values.parameters().len() {
            let ty = values.parameters()[index].ty;
            let next = match ty.kind {
                Kind::Pointer { .. } => addresses.next(),
                Kind::Int { .. } | Kind::Bool if ty.size <= 8 => data.next(),
                _ => return Err(Refusal::of(index, "neither an address nor an integer of one register")),
            };
            let place = match next {
                Some(number) => Place::Registers(Parts::whole(Register::Integer(number), ty.size)),
                None => {
                    stack += 8;
                    Place::Stack(stack - 8)
                }
            };
            values.put(index, place);
        }
        let result = values.result().ty;
        match result.kind {
            Kind::Void => {}
            Kind::Int { .. } if result.size <= 8 => {
                values.put_result(Place::Registers(Parts::whole(Register::Integer(DATA[0]), result.size)));
            }
            _ => return Err(Refusal::of_result("no integer of one register")),
        }
        Ok(())
    }
}

/// Calls `callback` as such code does: 7, 5 and -2 in the data registers, two texts in the address registers.
#[unsafe(naked)]
unsafe extern "sysv64" fn caller(_callback: *const (), _first: *const i8, _second: *const i8) -> i64 {
    naked_asm!(
        "push rbx",
        "mov r12d, 0x12345678", // this convention preserves it, as all that it does not name
        "mov r8, rsi",
        "mov r9, rdx",
        "mov eax, 7",
        "mov ecx, 5",
        "mov edx, -2",
        "call rdi",
        "cmp r12d, 0x12345678",
        "jne 2f",
        "pop rbx",
        "ret",
        "2:",
        "ud2",
    )
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let signature = Signature::custom()
        .named("width", Type::I32)
        .named("name", Type::POINTER)
        .named("height", Type::I32)
        .named("title", Type::POINTER)
        .named("delta", Type::I32)
        .ret(Type::I64)
        .build_by(&LikeThe68000)?;
    println!("{signature}\n");

    let frame = DynFrame::new(&signature, |call| {
        let text = |n: usize| {
            // SAFETY: the caller passes strings.
            unsafe { CStr::from_ptr(call.arg(n)) }.to_string_lossy()
        };
        let [width, height, delta] = [0, 2, 4].map(|n| call.arg::<i32>(n));
        println!("called with {width}, {:?}, {height}, {:?}, {delta}", text(1), text(3));
        call.ret(i64::from(width * height + delta));
    })?;

    let texts = [c"the name", c"the title"];
    // SAFETY: the frame lives, and has this signature; r12 is saved by nobody here and used by nobody.
    let area = unsafe {
        let area: i64;
        std::arch::asm!(
            "call {caller}",
            caller = sym caller,
            in("rdi") frame.as_ptr(), in("rsi") texts[0].as_ptr(), in("rdx") texts[1].as_ptr(),
            out("rax") area, out("r12") _, clobber_abi("sysv64"),
        );
        area
    };
    println!("it returned {area} to the assembly");
    assert_eq!(area, 7 * 5 - 2);

    // The other direction: the same signature calls.
    let [name, title] = texts.map(|text| Value::from(text.as_ptr()));
    // SAFETY: as above.
    let again = unsafe { signature.call(frame.as_ptr(), &[3.into(), name, 4.into(), title, 0.into()])? };
    println!("and {again} to a call by the signature");

    let refused = Signature::custom().named("ratio", Type::F64).build_by(&LikeThe68000).unwrap_err();
    println!("no place: {refused}");
    Ok(())
}
