pub async fn measure(_: &crate::Plan) -> anyhow::Result<()> { Ok(()) }
