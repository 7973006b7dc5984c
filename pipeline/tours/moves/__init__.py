"""Ways of filming beside the slow sideways step: walking ahead through doorways, turning, gimbals, drones, stairs."""
