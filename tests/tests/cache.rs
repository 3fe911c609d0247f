//! Signatures that are parsed once and placed once.
#![allow(missing_docs, reason = "tests")]

use std::sync::Barrier;

use cbframe::abi::{Abi, CallingConvention, Signature, SignatureBuilder, SignatureCache};
use cbframe::conventions::{PreserveAll, PreserveMost};
use cbframe::types::Type;

/// Whether they are one and not only equal; they have parameters.
fn one(a: &Signature, b: &Signature) -> bool {
    std::ptr::eq(a.layout().parameters(), b.layout().parameters())
}

fn compare(abi: Abi) -> SignatureBuilder {
    Signature::new(abi).param(Type::POINTER).param(Type::POINTER).ret(Type::I32)
}

#[test]
fn every_way_to_ask_gives_the_same() {
    let cache = SignatureCache::new();
    let built = cache.get(compare(Abi::C)).unwrap();
    let text = "int (*)(const void *, const void *)";
    let others = [
        cache.get(compare(Abi::C)).unwrap(),
        cache.parse_c(text, Abi::C).unwrap(),
        cache.parse_c(text, Abi::C).unwrap(),
        cache.parse_c("int(void *,void *)", Abi::C).unwrap(),
        cache.parse_rust("extern \"C\" fn(*const u8, *mut u8) -> i32").unwrap(),
        cache.parse_rust("extern \"C\" fn(*const u8, *mut u8) -> i32").unwrap(),
        cache.keep(compare(Abi::C).build().unwrap()),
    ];
    assert!(others.iter().all(|other| one(&built, other)));
    assert_eq!(cache.len(), 1);
    assert!(!one(&built, &compare(Abi::C).build().unwrap()), "without a cache it is another");
    assert!(!one(&built, &SignatureCache::new().get(compare(Abi::C)).unwrap()));
}

/// Each differs from the first in one thing.
#[test]
fn what_differs_is_kept_apart() {
    let cache = SignatureCache::new();
    let field = |ty| Type::structure("S", &[("a", ty)]).unwrap();
    let of = |ty| Signature::new(Abi::SysV64).param(ty).ret(Type::I32);
    let all = [
        of(field(Type::I32)),
        // The name and the size are the same.
        of(field(Type::F32)),
        of(Type::structure("T", &[("a", Type::I32)]).unwrap()),
        of(field(Type::I32)).ret(Type::U32),
        of(field(Type::I32)).dots(),
        of(field(Type::I32)).dots().param(Type::I32),
        of(field(Type::I32)).param(Type::I32),
        of(field(Type::I32)).param(Type::I32).dots(),
        of(field(Type::I32)).unwind(),
        Signature::new(Abi::SysV64).named("a", field(Type::I32)).ret(Type::I32),
        Signature::new(Abi::Win64).param(field(Type::I32)).ret(Type::I32),
        Signature::new(Abi::Named(PreserveMost::CONVENTION)).param(field(Type::I32)).ret(Type::I32),
        Signature::new(Abi::Named(PreserveAll::CONVENTION)).param(field(Type::I32)).ret(Type::I32),
    ];
    let kept: Vec<_> = all.iter().map(|builder| cache.get(builder.clone()).unwrap()).collect();
    assert_eq!(cache.len(), all.len());
    for (i, a) in kept.iter().enumerate() {
        assert!(kept.iter().enumerate().all(|(j, b)| one(a, b) == (i == j)), "{a}");
        assert_eq!(a.to_string(), all[i].clone().build().unwrap().to_string());
    }
    let mut listed: Vec<_> = cache.signatures().iter().map(Signature::to_string).collect();
    let mut expected: Vec<_> = kept.iter().map(Signature::to_string).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

/// The same text is another signature for another ABI.
#[test]
fn texts_belong_to_an_abi() {
    let cache = SignatureCache::new();
    let [a, b] = [Abi::SysV64, Abi::Win64].map(|abi| cache.parse_c("void (*)(long)", abi).unwrap());
    assert_eq!([&a, &b].map(|it| it.layout().parameters()[0].ty.size), [8, 4]);
    assert!(one(&b, &cache.parse_c("void (*)(long)", Abi::Win64).unwrap()));
}

#[test]
fn what_is_refused_is_not_kept() {
    let cache = SignatureCache::new();
    cache.get(Signature::new(Abi::SysV64).param(Type::VOID)).unwrap_err();
    cache.parse_c("int (*)(nothing)", Abi::SysV64).unwrap_err();
    cache.parse_rust("extern \"C\" fn(Nothing)").unwrap_err();
    assert!(cache.is_empty() && cache.signatures().is_empty());
}

#[test]
fn cleared() {
    let cache = SignatureCache::new();
    let before = cache.parse_c("int (*)(int)", Abi::SysV64).unwrap();
    cache.clear();
    assert!(cache.is_empty());
    let after = cache.parse_c("int (*)(int)", Abi::SysV64).unwrap();
    assert!(!one(&before, &after) && before.to_string() == after.to_string());
}

/// Threads that ask at the same moment get one signature each time.
#[test]
fn threads() {
    const THREADS: usize = 8;
    let (cache, barrier) = (SignatureCache::new(), Barrier::new(THREADS));
    let ask = |round: usize| {
        barrier.wait();
        let text = format!("int f{round}(int a{round}, double)");
        let built = Signature::new(Abi::SysV64).named(&format!("a{round}"), Type::I32).param(Type::F64).ret(Type::I32);
        [cache.parse_c(&text, Abi::SysV64).unwrap(), cache.get(built).unwrap()]
    };
    let found: Vec<Vec<_>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| (0..50).map(ask).collect::<Vec<_>>())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(cache.len(), 50);
    for of_thread in &found {
        for (round, same) in of_thread.iter().enumerate() {
            assert!(same.iter().all(|signature| one(signature, &found[0][round][0])));
        }
    }
    assert!(std::ptr::eq(SignatureCache::shared(), std::thread::spawn(SignatureCache::shared).join().unwrap()));
}
