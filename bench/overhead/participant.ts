// A process that takes part: one service, or its client.
import { rabbitmq } from 'clew'
import { answerParent } from '../harness/remote.ts'
import { makeParticipant, type Participant, type Role } from './participants.ts'

const [url = '', role = ''] = process.argv.slice(2)
const participant = makeParticipant(JSON.parse(role) as Role, rabbitmq(url))
// Ctrl-C in a terminal is for the parent; when it goes, this process follows.
process.on('SIGINT', () => {})
answerParent<Participant>(participant, () => participant.stop())
