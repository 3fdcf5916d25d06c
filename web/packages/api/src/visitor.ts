/** Types of the visitors' surface. Types only: the chat page brings its own few lines of HTTP. */
import type { components } from './generated/visitor';

type Schemas = components['schemas'];

export type Chat = Schemas['Chat'];
export type Page = Schemas['Page'];
export type Sent = Schemas['Sent'];
export type Visit = Schemas['Visit'];
export type VisitorMessage = Schemas['VisitorMessage'];
export type VisitorMessages = Schemas['VisitorMessages'];
