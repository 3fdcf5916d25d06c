/** What other features may use of conversations. */
export { accountsQuery, keys as conversationKeys, servicersQuery } from './queries';
