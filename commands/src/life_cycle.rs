//! The steps of life cycles, one row each: most of what moves a resource is an id and, at times, a reason.

/// Declares requests that move one aggregate of theirs: the field that names it, its stream, and for
/// each step its further fields, the command it becomes, and the status that it answers.
macro_rules! steps {
    (
        $aggregate:ty, $id:ident: $id_type:ty, $stream:expr;
        $($(#[$doc:meta])* $step:ident $({ $($(#[$field_doc:meta])* $field:ident: $ty:ty),* })? => $command:expr, $status:expr;)*
    ) => {$(
        $(#[$doc])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $step {
            pub $id: $id_type,
            $($($(#[$field_doc])* pub $field: $ty,)*)?
        }

        impl Operation for $step {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                let stream: fn(&Admission, $id_type) -> StreamRef = $stream;
                vec![stream(admission, self.$id)]
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                let command: fn(&Self) -> <$aggregate as palmares_domain::kernel::Aggregate>::Command = $command;
                let status: fn(&$aggregate) -> &'static str = $status;
                unit.run::<$aggregate>(self.$id, &command(self))?;
                Ok(Answer::new("id", self.$id, status(unit.state::<$aggregate>(self.$id)?)))
            }
        }
    )*};
}

pub(crate) use steps;
