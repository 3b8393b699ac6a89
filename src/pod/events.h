// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>
#include <stdint.h>

#include "base/error.h"
#include "os/deadline.h"

/* events: what GetContainerEvents tells, to every subscriber.
 *
 * Each subscriber has a queue of EVENTS_QUEUE_MAX; one that is too slow is cut off, so that it
 * cannot hold up others and its client lists anew. While nobody subscribes, up to EVENTS_QUEUE_MAX
 * events of the last five minutes wait for the first subscriber. Any thread. */
enum { EVENTS_QUEUE_MAX = 1000 };

struct events;
struct events *events_new(void);
void events_free(struct events *e);

/* One event, shared by all queues. */
struct event;
struct event *event_new(const Runtime__V1__ContainerEventResponse *message); /* copies */
const ProtobufCMessage *event_message(const struct event *e);
void event_free(struct event *e); /* drops a reference */

/* Gives away the event. */
void events_publish(struct events *e, struct event *taken);

struct events_subscriber;
struct events_subscriber *events_subscribe(struct events *e);
void events_unsubscribe(struct events_subscriber *s);

/* The next event, the caller's reference; waits for one. NULL: the deadline passed, the client
 * left, or ERROR_EXHAUSTED when it was too slow. */
MUST_CHECK struct event *events_next(struct events_subscriber *s, const struct deadline *by,
                                     struct error *err);
