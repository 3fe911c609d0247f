/* Calls compiled callers as the standard input says, and tells what a spy sees: where each argument should be, which the
   input says, are these bytes. Compiled for the target, and run by an emulator. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZE = 128, MAX_PARAMETERS = 12, WINDOW = 16 * 1024 };

#ifdef __arm__
enum { VECTOR = 4 }; /* numbered by single-precision registers */
#else
enum { VECTOR = 16 };
#endif

/* The registers at entry, and then those that the spy returns with; spy.S knows the offsets. */
struct cpu {
    uint64_t integer[32];
    uint8_t vector[32 * 16];
    uint8_t x87[16];
    uint64_t x87_count;
    uint64_t pops;
    uint64_t stack;
    uint64_t return_address;
};

_Static_assert(sizeof(struct cpu) == 816, "spy.S");

enum kind { NOTHING, REGISTERS, STACK, SPLIT, REFERENCE_IN_REGISTER, REFERENCE_ON_STACK, HIDDEN_IN_REGISTER, HIDDEN_ON_STACK };
enum bank { INTEGER, VECTORS, X87 };

struct part {
    unsigned bank, number, offset, size;
};

struct value {
    unsigned kind, count;
    struct part part[4];
    /* For what is on the stack, the offset; the number of a register that holds an address. */
    unsigned at;
    /* The number of the register that holds the address of a result on return. */
    int leaves;
    unsigned size;
    uint8_t bytes[MAX_SIZE];
};

typedef void spy_fn(void);
typedef void caller_fn(spy_fn *, const uint8_t *, uint8_t *);

/* Of the callers that were compiled. */
extern caller_fn *const callers[];

spy_fn spy;
void observe(struct cpu *);

static unsigned parameters;
static struct value parameter[MAX_PARAMETERS], result;
static unsigned pops;

static unsigned number(void) {
    unsigned n;
    if (scanf("%u", &n) != 1) {
        exit(2);
    }
    return n;
}

static void read_value(struct value *value) {
    memset(value, 0, sizeof *value);
    value->kind = number();
    value->count = number();
    for (unsigned i = 0; i < value->count; i++) {
        value->part[i] = (struct part){number(), 0, 0, 0};
        value->part[i].number = number();
        value->part[i].offset = number();
        value->part[i].size = number();
    }
    value->at = number();
    value->leaves = (int)number() - 1;
    value->size = number();
    for (unsigned i = 0; i < value->size; i++) {
        unsigned byte;
        if (scanf("%2x", &byte) != 1) {
            exit(2);
        }
        value->bytes[i] = (uint8_t)byte;
    }
}

/* Memory, if it lies in the caller's frame or in those around it. */
static uint8_t *memory(const struct cpu *cpu, uint64_t address, unsigned size) {
    return address - cpu->stack < WINDOW - size ? (uint8_t *)(uintptr_t)address : NULL;
}

static uint64_t word(const struct cpu *cpu, unsigned at) {
    uintptr_t found;
    memcpy(&found, (uint8_t *)(uintptr_t)cpu->stack + at, sizeof found);
    return found;
}

static uint64_t address(const struct cpu *cpu, const struct value *value) {
    switch (value->kind) {
    case STACK:
        return cpu->stack + value->at;
    case REFERENCE_ON_STACK:
    case HIDDEN_ON_STACK:
        return word(cpu, value->at);
    default:
        return cpu->integer[value->at];
    }
}

static void parts(const struct cpu *cpu, const struct value *value, uint8_t *to) {
    for (unsigned i = 0; i < value->count; i++) {
        const struct part *part = &value->part[i];
        const void *from =
            part->bank == INTEGER ? (const void *)&cpu->integer[part->number] : &cpu->vector[VECTOR * part->number];
        memcpy(to + part->offset, from, part->size);
    }
}

static void observe_parameter(const struct cpu *cpu, unsigned index) {
    const struct value *value = &parameter[index];
    uint8_t found[MAX_SIZE] = {0}, *from;
    unsigned in_registers = 0;
    switch (value->kind) {
    case NOTHING:
        break;
    case REGISTERS:
        parts(cpu, value, found);
        break;
    case SPLIT:
        parts(cpu, value, found);
        for (unsigned i = 0; i < value->count; i++) {
            in_registers += value->part[i].size;
        }
        memcpy(found + in_registers, (uint8_t *)(uintptr_t)cpu->stack + value->at, value->size - in_registers);
        break;
    default:
        from = memory(cpu, address(cpu, value), value->size);
        if (!from) {
            printf("%u no address of the caller's stack\n", index);
            return;
        }
        memcpy(found, from, value->size);
    }
    printf("%u ", index);
    for (unsigned i = 0; i < value->size; i++) {
        printf("%02x", found[i]);
    }
    printf("\n");
}

void observe(struct cpu *cpu) {
    for (unsigned i = 0; i < parameters; i++) {
        observe_parameter(cpu, i);
    }
    uint64_t hidden = result.kind == HIDDEN_IN_REGISTER || result.kind == HIDDEN_ON_STACK ? address(cpu, &result) : 0;
    /* Noise in whatever could hold a result. */
    memset(cpu->integer, 0xff, sizeof cpu->integer);
    memset(cpu->vector, 0xff, sizeof cpu->vector);
    cpu->x87_count = 0;
    cpu->pops = pops;
    if (result.kind == REGISTERS) {
        for (unsigned i = 0; i < result.count; i++) {
            const struct part *part = &result.part[i];
            const uint8_t *from = result.bytes + part->offset;
            switch (part->bank) {
            case INTEGER:
                memcpy(&cpu->integer[part->number], from, part->size);
                break;
            case VECTORS:
                memcpy(&cpu->vector[VECTOR * part->number], from, part->size);
                break;
            case X87:
#ifdef __i386__
            {
                float f;
                double d;
                long double extended = 0;
                memcpy(&extended, from, part->size == 10 ? 10 : 0);
                memcpy(&f, from, sizeof f);
                memcpy(&d, from, part->size == 8 ? sizeof d : 0);
                extended = part->size == 4 ? f : part->size == 8 ? d : extended;
                memcpy(cpu->x87, &extended, 10);
                cpu->x87_count = 1;
            }
#endif
            break;
            }
        }
    }
    if (hidden) {
        uint8_t *space = memory(cpu, hidden, result.size);
        if (space) {
            memcpy(space, result.bytes, result.size);
        }
        if (result.leaves >= 0) {
            cpu->integer[result.leaves] = hidden;
        }
    }
}

/* Its frame lies above that of the caller: the window. */
static __attribute__((noinline)) void call(unsigned index) {
    volatile uint8_t window[WINDOW];
    uint8_t in[MAX_PARAMETERS * MAX_SIZE], out[MAX_SIZE] = {0};
    window[0] = 0;
    for (unsigned i = 0; i < parameters; i++) {
        memcpy(in + i * MAX_SIZE, parameter[i].bytes, MAX_SIZE);
    }
    callers[index](spy, in, out);
    window[WINDOW - 1] = 0;
    printf("result ");
    for (unsigned i = 0; i < result.size; i++) {
        printf("%02x", out[i]);
    }
    printf("\n");
}

int main(void) {
    unsigned index;
    while (scanf("%u", &index) == 1) {
        parameters = number();
        pops = number();
        for (unsigned i = 0; i < parameters; i++) {
            read_value(&parameter[i]);
        }
        read_value(&result);
        call(index);
        fflush(stdout);
    }
    return 0;
}
