#include "tests/unit/outbox/fake_turn.h"

#include "common/wire/ident.h"

struct task {
    enum { EVENT, WRITE, MESSAGE } kind;
    uint64_t card;
    struct event event;
    struct turn_message message;
    struct turn_origin origin;
    turn_answer_fn *answer;
    turn_apply_fn *apply;
    turn_done_fn *done;
    void *context;
};

struct fake_turn fake;
static struct task tasks[FAKE_TASKS];
static size_t task_count;

void fake_reset(void)
{
    fake = (struct fake_turn){.room = FAKE_TASKS};
    task_count = 0;
}

size_t fake_queued(void)
{
    return task_count;
}

static struct task *add(void *context)
{
    if (task_count >= fake.room)
        return NULL;
    tasks[task_count] = (struct task){.context = context};
    return &tasks[task_count++];
}

bool turn_event_prepared(struct turn *t, uint64_t card, const struct event *event,
                         const struct turn_prepared *with)
{
    (void)t;
    struct task *k = add(with->context);
    if (k == NULL)
        return false;
    k->kind = EVENT;
    k->card = card;
    k->event = *event;
    k->answer = with->answer;
    k->origin = with->origin;
    return true;
}

bool turn_write(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context)
{
    (void)t;
    struct task *k = add(context);
    if (k == NULL)
        return false;
    k->kind = WRITE;
    k->apply = apply;
    k->done = done;
    return true;
}

bool turn_write_repeatable(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context)
{
    return turn_write(t, apply, done, context);
}

bool turn_receive(struct turn *t, const struct turn_message *message, turn_done_fn *done,
                  void *context)
{
    (void)t;
    struct task *k = add(context);
    if (k == NULL)
        return false;
    k->kind = MESSAGE;
    k->message = *message;
    k->done = done;
    return true;
}

static void copy_text(char *to, size_t size, const char *text)
{
    const size_t len = strlen(text) < size ? strlen(text) : size - 1;
    memcpy(to, text, len);
    to[len] = '\0';
}

static void keep(const struct task *k)
{
    if (k->kind == EVENT) {
        struct fake_event *e = &fake.events[fake.event_count++];
        char text[STEP_MESSAGES_SIZE] = "";
        *e = (struct fake_event){.card = k->card, .event = k->event};
        if (k->origin.messages != NULL)
            copy_text(e->messages, sizeof(e->messages),
                      k->origin.messages(k->origin.messages_of, text));
    }
    if (k->kind == MESSAGE)
        fake.messages[fake.message_count++] = k->message;
}

void fake_run(void)
{
    static struct task now[FAKE_TASKS];
    const size_t count = task_count;
    const enum store_status status = fake.outcome;
    memcpy(now, tasks, count * sizeof now[0]);
    task_count = 0;
    for (size_t i = 0; i < count; i++) {
        // A write that fails later leaves nothing: here, because it is not made.
        if (now[i].kind == WRITE && status == STORE_OK)
            (void)now[i].apply(now[i].context, NULL, (struct utc){0});
    }
    for (size_t i = 0; i < count; i++) {
        const struct turn_answer answer = {.refusal = status == STORE_OK ? REFUSAL_NONE
                                                                         : REFUSAL_OVERLOADED};
        if (status == STORE_OK)
            keep(&now[i]);
        if (now[i].answer != NULL)
            now[i].answer(now[i].context, &answer);
        if (now[i].done != NULL)
            now[i].done(now[i].context, status);
    }
}

enum store_status store_message_state(struct store *s, uint64_t id, uint8_t state, uint8_t tries,
                                      struct utc due)
{
    (void)s;
    (void)due;
    fake.notes[fake.note_count++] = (struct fake_note){id, state, tries};
    for (size_t i = 0; i < fake.waiting_count && fake.outcome == STORE_OK; i++) {
        if (fake.waiting[i].id == id) { // it waits no more
            fake.waiting_count--;
            memmove(&fake.waiting[i], &fake.waiting[i + 1],
                    (fake.waiting_count - i) * sizeof(fake.waiting[0]));
        }
    }
    return STORE_OK;
}

enum store_status store_outbox(struct store *s, uint64_t after, uint32_t limit,
                               store_message_fn *each, void *context)
{
    (void)s;
    uint32_t given = 0;
    for (size_t i = 0; i < fake.waiting_count && given < limit; i++) {
        if (fake.waiting[i].id <= after)
            continue;
        given++;
        if (!each(context, &fake.waiting[i]))
            break;
    }
    return STORE_OK;
}

enum store_status store_receipt_id_put(struct store *s, const char *link, const char *message_id,
                                       uint64_t message, uint8_t part, struct utc at)
{
    (void)s;
    (void)at;
    struct fake_id *v = &fake.ids[fake.id_count++];
    *v = (struct fake_id){.message = message, .part = part};
    // Tests give a message the id 1000 + counter, and the card 7 * counter.
    v->counter = message - 1000;
    v->card = 7 * v->counter;
    copy_text(v->smsc, sizeof v->smsc, link);
    copy_text(v->id, sizeof v->id, message_id);
    return STORE_OK;
}

enum store_status store_receipt_find(struct store *s, const char *link, const char *message_id,
                                     struct message *out, uint8_t *part)
{
    (void)s;
    for (size_t i = 0; i < fake.id_count; i++) {
        const struct fake_id *v = &fake.ids[i];
        if (strcmp(v->smsc, link) != 0 || strcmp(v->id, message_id) != 0)
            continue;
        *out = (struct message){.id = v->message,
                                .card = v->card,
                                .operation = 5000 + v->counter,
                                .counter = v->counter,
                                .at = {60000}};
        *part = v->part;
        return STORE_OK;
    }
    return STORE_NONE;
}

enum store_status store_message_part_put(struct store *s, const char *number,
                                         struct bytes user_data, struct utc at)
{
    (void)s;
    (void)at;
    struct fake_part *p = &fake.parts[fake.part_count++];
    copy_text(p->number, sizeof p->number, number);
    p->len = user_data.len;
    bytes_copy(p->user_data, user_data);
    return STORE_OK;
}

enum store_status store_message_parts(struct store *s, struct utc from, store_message_part_fn *each,
                                      void *context)
{
    (void)s;
    (void)from;
    for (size_t i = 0; i < fake.part_count; i++)
        each(context, fake.parts[i].number, bytes_of(fake.parts[i].user_data, fake.parts[i].len));
    return STORE_OK;
}

void turn_tell_answers(struct turn *t, turn_heard_fn *heard, void *context)
{
    (void)t;
    fake.heard = heard;
    fake.heard_context = context;
}

const struct record *turn_card(struct turn *t, uint64_t card)
{
    static struct record r;
    (void)t;
    r = (struct record){.card = card};
    const char *plmn = fake.plmns[card % 2];
    r.has_plmn = plmn != NULL && plmn_write(plmn, r.plmn);
    return fake.cards_are_lost ? NULL : &r;
}

struct turn_route turn_route_of(struct turn *t, uint64_t group)
{
    (void)t;
    return group != 0 ? fake.route : (struct turn_route){.rate = 0};
}
