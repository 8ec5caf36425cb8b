// Before every source that is proved: what the prover's parser does not know.
#pragma once
#define _Noreturn
#define _Static_assert(condition, text)
