import type { Feature } from './app/feature';
import { notices } from './app/notices/feature';
import { assistant } from './features/assistant/feature';
import { conversations } from './features/conversations/feature';
import { customers } from './features/customers/feature';
import { organization } from './features/organization/feature';

/** The only place that names all features. */
export const features: readonly Feature[] = [conversations, customers, assistant, organization, notices];
