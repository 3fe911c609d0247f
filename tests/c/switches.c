/* Ways out of a callback that are no return: `longjmp`, and a switch to another stack. */

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <ucontext.h>
#endif

/* Calls `callback(context, jump)`; gives 1 if that did not return but jumped. */
int cbt_call(void (*callback)(void *, void *), void *context)
{
	jmp_buf buffer;
	if (setjmp(buffer))
		return 1;
	callback(context, buffer);
	return 0;
}

/* The same, from deeper in the stack. */
int cbt_call_deeper(void (*callback)(void *, void *), void *context)
{
	volatile char deep[4096];
	deep[0] = 1;
	int jumped = cbt_call(callback, context);
	return jumped + (deep[0] - 1);
}

void cbt_jump(void *buffer)
{
	longjmp(*(jmp_buf *)buffer, 1);
}

#ifdef _WIN32

/* Of a fiber the system makes the stack. */
struct coroutine {
	void *own, *resumer;
	void (*run)(void *);
	void *context;
	int done;
};

static __thread struct coroutine *current;

static void WINAPI start(void *argument)
{
	struct coroutine *self = argument;
	self->run(self->context);
	self->done = 1;
	SwitchToFiber(self->resumer);
}

struct coroutine *cbt_coroutine(void (*run)(void *), void *context, void *stack, size_t size)
{
	struct coroutine *self = calloc(1, sizeof *self);
	if (stack)
		abort();
	if (!IsThreadAFiber())
		ConvertThreadToFiber(0);
	self->own = CreateFiberEx(size, size, 0, start, self);
	self->run = run;
	self->context = context;
	return self;
}

int cbt_resume(struct coroutine *self)
{
	struct coroutine *outer = current;
	if (!IsThreadAFiber())
		ConvertThreadToFiber(0);
	current = self;
	self->resumer = GetCurrentFiber();
	SwitchToFiber(self->own);
	current = outer;
	return self->done;
}

void cbt_suspend(void)
{
	SwitchToFiber(current->resumer);
}

void cbt_end(struct coroutine *self)
{
	DeleteFiber(self->own);
	free(self);
}

#else

struct coroutine {
	ucontext_t own, resumer;
	void (*run)(void *);
	void *context;
	int done;
	void *stack;
};

static __thread struct coroutine *current;

static void start(void)
{
	struct coroutine *self = current;
	self->run(self->context);
	self->done = 1;
	swapcontext(&self->own, &self->resumer);
}

/* A coroutine that will call `run(context)` on the stack, which is the coroutine's own if null. */
struct coroutine *cbt_coroutine(void (*run)(void *), void *context, void *stack, size_t size)
{
	struct coroutine *self = calloc(1, sizeof *self);
	if (!stack)
		stack = self->stack = malloc(size);
	getcontext(&self->own);
	self->own.uc_stack.ss_sp = stack;
	self->own.uc_stack.ss_size = size;
	self->run = run;
	self->context = context;
	makecontext(&self->own, start, 0);
	return self;
}

/* Runs until the coroutine suspends or is done; gives whether it is done. */
int cbt_resume(struct coroutine *self)
{
	struct coroutine *outer = current;
	current = self;
	swapcontext(&self->resumer, &self->own);
	current = outer;
	return self->done;
}

/* Leaves the running coroutine until it is resumed. */
void cbt_suspend(void)
{
	struct coroutine *self = current;
	swapcontext(&self->own, &self->resumer);
}

void cbt_end(struct coroutine *self)
{
	free(self->stack);
	free(self);
}

#endif
